package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what the environment used since it was last measured, and holds now. What cannot be read is 0.
type usage struct {
	RequestID   string  `json:"requestId"`
	Invocations int     `json:"invocations"` // since the last measurement
	HeldMs      float64 `json:"heldMs"`      // how long we kept the environment after the runtime was done
	OwnCPUMs    float64 `json:"ownCpuMs"`
	OwnRSSBytes int64   `json:"ownRssBytes"`
	CPUMs       float64 `json:"cpuMs"`
	RxBytes     int64   `json:"rxBytes"`
	TxBytes     int64   `json:"txBytes"`
	TmpUsed     int64   `json:"tmpUsedBytes"`
	TmpSize     int64   `json:"tmpSizeBytes"`
	FDs         int     `json:"fds"`
	Threads     int     `json:"threads"`
	MaxRSSBytes int64   `json:"maxRssBytes"` // high-water mark of everybody but us
}

// meter measures at most once per interval, because measuring costs the function time too.
type meter struct {
	invocations int
	held        time.Duration
	measured    time.Time
	before      totals
}

// totals only grow.
type totals struct {
	cpuMs, ownCPUMs  float64
	received, posted int64
}

const (
	measureEvery = time.Minute
	tickMs       = 10 // of /proc/stat: USER_HZ is 100 wherever Linux runs on amd64 and arm64
)

func newMeter() *meter { return &meter{before: readTotals()} }

// ended counts an invocation and how long we held the environment after it.
func (m *meter) ended(held time.Duration) {
	m.invocations++
	m.held += held
}

// measure answers what there is to tell, unless it did so a moment ago.
func (m *meter) measure(requestID string, now time.Time) (usage, bool) {
	if now = now.Round(0); now.Sub(m.measured) < measureEvery {
		return usage{}, false
	}
	after := readTotals()
	told := usage{
		RequestID: requestID, Invocations: m.invocations, HeldMs: float64(m.held.Microseconds()) / 1000,
		OwnCPUMs: after.ownCPUMs - m.before.ownCPUMs, CPUMs: after.cpuMs - m.before.cpuMs,
		RxBytes: after.received - m.before.received, TxBytes: after.posted - m.before.posted,
	}
	told.TmpUsed, told.TmpSize = diskUse("/tmp")
	told.addProcesses("/proc")
	*m = meter{measured: now, before: after}
	return told, true
}

func readTotals() totals {
	var t totals
	var own syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &own) == nil {
		t.ownCPUMs = float64(own.Utime.Nano()+own.Stime.Nano()) / 1e6
	}
	t.cpuMs = cpuMs(read("/proc/stat"))
	t.received, t.posted = traffic(read("/proc/net/dev"))
	return t
}

// cpuMs adds up what all processors did apart from idling: user, nice and system of the first line.
func cpuMs(stat []byte) float64 {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := strings.Fields(string(line))
	sum := 0.0
	for _, field := range fields[min(1, len(fields)):min(4, len(fields))] {
		ticks, _ := strconv.ParseFloat(field, 64)
		sum += ticks * tickMs
	}
	return sum
}

// traffic adds up the bytes of all interfaces but the loopback.
func traffic(dev []byte) (received, posted int64) {
	for _, line := range strings.Split(string(dev), "\n") {
		name, rest, found := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if !found || strings.TrimSpace(name) == "lo" || len(fields) < 9 {
			continue
		}
		in, _ := strconv.ParseInt(fields[0], 10, 64)
		out, _ := strconv.ParseInt(fields[8], 10, 64)
		received, posted = received+in, posted+out
	}
	return received, posted
}

func diskUse(folder string) (used, size int64) {
	var disk syscall.Statfs_t
	if syscall.Statfs(folder, &disk) != nil {
		return 0, 0
	}
	return int64(disk.Blocks-disk.Bfree) * disk.Bsize, int64(disk.Blocks) * disk.Bsize
}

// addProcesses looks at every process of the environment that we may look at.
func (u *usage) addProcesses(proc string) {
	folders, _ := filepath.Glob(proc + "/[0-9]*")
	for _, folder := range folders {
		status := string(read(folder + "/status"))
		if filepath.Base(folder) == strconv.Itoa(os.Getpid()) {
			u.OwnRSSBytes = kilobytes(status, "VmRSS:")
			continue
		}
		u.MaxRSSBytes += kilobytes(status, "VmHWM:")
		u.Threads += int(field(status, "Threads:"))
		if open, err := os.ReadDir(folder + "/fd"); err == nil {
			u.FDs += len(open)
		}
	}
}

func kilobytes(status, name string) int64 { return field(status, name) << 10 }

func field(status, name string) int64 {
	_, rest, found := strings.Cut(status, "\n"+name)
	if words := strings.Fields(rest); found && len(words) > 0 {
		number, _ := strconv.ParseInt(words[0], 10, 64)
		return number
	}
	return 0
}

// read answers what a file holds, or nothing.
func read(path string) []byte {
	text, _ := os.ReadFile(path)
	return text
}
