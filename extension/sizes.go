package main

import (
	"io/fs"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"syscall"
	"time"
)

// size is how large an unzipped deployment is. Lambda lays all layers over each other in /opt, so those can only be
// told apart by folder.
type size struct {
	CodeBytes   int64    `json:"codeBytes"`
	LayersBytes int64    `json:"layersBytes"`
	Files       int      `json:"files"`
	Complete    bool     `json:"complete"` // False when time was up before everything was seen.
	Folders     []folder `json:"folders"`  // The largest, in descending order.
}

type folder struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

const (
	codeRoot    = "/var/task"
	layersRoot  = "/opt"
	measureTime = 2 * time.Second
	mostFolders = 30
	folderDepth = 2 // /opt/python/numpy, /var/task/node_modules
)

// measure walks both trees at the lowest priority, on a thread that ends with it, until time is up.
func measureSize(code, layers string, patience time.Duration) size {
	runtime.LockOSThread() // And never unlocked: the thread has become too slow for anything else.
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 19)
	measured := size{Complete: true}
	deadline := time.Now().Add(patience)
	folders := map[string]int64{}
	measured.CodeBytes = measured.add(code, folders, deadline)
	measured.LayersBytes = measured.add(layers, folders, deadline)
	for path, bytes := range folders {
		measured.Folders = append(measured.Folders, folder{path, bytes})
	}
	sort.Slice(measured.Folders, func(i, j int) bool {
		a, b := measured.Folders[i], measured.Folders[j]
		return a.Bytes > b.Bytes || a.Bytes == b.Bytes && a.Path < b.Path
	})
	measured.Folders = measured.Folders[:min(mostFolders, len(measured.Folders))]
	return measured
}

// add walks one tree; links count as what they are, not as what they lead to.
func (s *size) add(root string, folders map[string]int64, deadline time.Time) int64 {
	var total int64
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil // What we may not see is not counted.
		}
		if time.Now().After(deadline) {
			s.Complete = false
			return fs.SkipAll
		}
		if info, err := entry.Info(); err == nil {
			s.Files++
			total += info.Size()
			folders[shallow(root, filepath.Dir(path))] += info.Size()
		}
		return nil
	})
	return total
}

// shallow cuts a path below root to its first folders.
func shallow(root, path string) string {
	below := strings.Split(strings.TrimPrefix(strings.TrimPrefix(path, root), "/"), "/")
	return strings.TrimSuffix(root+"/"+strings.Join(below[:min(folderDepth, len(below))], "/"), "/")
}
