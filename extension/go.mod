module nightjar.dev/extension

go 1.26
