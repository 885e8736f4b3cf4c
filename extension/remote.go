package main

import (
	"hash/fnv"
	"sync"
	"time"
)

// remote is what Nightjar asks of us in its answers: to be quiet for a while, or to send the lines of some
// invocations only. Neither can stop us for longer than its cap, whatever is asked.
type remote struct {
	mu      sync.Mutex
	quiet   time.Time // until then, by the wall clock, nothing is kept
	stopped bool
	share   float64 // of invocations whose lines are kept
}

// wishes is the part of an answer that is for us.
type wishes struct {
	PausedS  *float64 `json:"paused_s"`
	Sampling *float64 `json:"sampling"`
}

const longestPause = time.Hour

func newRemote() *remote { return &remote{share: 1} }

func (r *remote) heed(asked wishes, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if asked.PausedS != nil {
		seconds := min(max(*asked.PausedS, 0), longestPause.Seconds())
		r.quiet = now.Round(0).Add(time.Duration(seconds * float64(time.Second)))
	}
	if asked.Sampling != nil {
		r.share = min(max(*asked.Sampling, 0), 1)
	}
}

// stop ends it for the rest of this environment's life.
func (r *remote) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
}

func (r *remote) isStopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}

func (r *remote) paused(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped || now.Before(r.quiet)
}

// skipsLines tells whether the lines of this invocation are among those left out: all of it or none.
func (r *remote) skipsLines(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.share >= 1 {
		return false
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(id))
	return float64(hash.Sum32())/(1<<32) >= r.share
}
