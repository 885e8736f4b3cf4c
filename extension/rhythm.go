package main

import "time"

// rhythm is how fast invocations follow each other. While they come fast, nobody has to be held for the sake of
// telemetry: it leaves while the next one runs.
type rhythm struct {
	last time.Time
	gap  time.Duration // a mean that forgets; 0 before the second invocation
}

// fast is a gap so short that telemetry may wait for it.
const fast = 5 * time.Second

// beat counts an invocation that begins now.
func (r *rhythm) beat(now time.Time) {
	if !r.last.IsZero() {
		// By the wall clock: the other stands still while we are frozen. A single pause, however long, is only one.
		gap := min(max(now.Round(0).Sub(r.last), time.Millisecond), 4*fast)
		if r.gap == 0 {
			r.gap = gap
		}
		r.gap += (gap - r.gap) / 4
	}
	r.last = now.Round(0)
}

func (r *rhythm) isFast() bool { return r.gap > 0 && r.gap < fast }
