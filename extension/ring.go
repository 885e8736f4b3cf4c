package main

import "sync"

// entry is one event as it will stand in the array that is posted, with its id.
type entry struct {
	json   []byte
	counts int // How many events are lost when this one is: those that it tells of, none if it is about ourselves.
}

// weight is what an entry takes up in memory.
func (e entry) weight() int { return len(e.json) + 32 }

// counts adds up how many events entries stand for.
func counts(entries []entry) int {
	sum := 0
	for _, e := range entries {
		sum += e.counts
	}
	return sum
}

// ring holds what waits to be sent, in bounded memory: when it is full, the oldest goes, and is counted.
type ring struct {
	mu      sync.Mutex
	entries []entry
	weight  int
	limit   int
	dropped int
}

func newRing(limit int) *ring { return &ring{limit: limit} }

// push adds an entry, which the ring keeps.
func (r *ring) push(e entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, e)
	r.weight += e.weight()
	r.shrink()
}

// back puts in again what was taken: it is the oldest there is, and the first to go.
func (r *ring) back(taken []entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(taken, r.entries...)
	for _, e := range taken {
		r.weight += e.weight()
	}
	r.shrink()
}

func (r *ring) shrink() {
	for r.weight > r.limit {
		r.dropped += r.entries[0].counts
		r.weight -= r.entries[0].weight()
		r.entries[0] = entry{}
		r.entries = r.entries[1:]
	}
}

// take removes the oldest entries: at least one if there is any, at most so many and so many bytes.
func (r *ring) take(most, mostBytes int) []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	count, size := 0, 0
	for count < min(most, len(r.entries)) {
		size += len(r.entries[count].json)
		if count > 0 && size > mostBytes {
			break
		}
		count++
	}
	taken := make([]entry, count)
	copy(taken, r.entries)
	clear(r.entries[:count])
	for _, e := range taken {
		r.weight -= e.weight()
	}
	if r.entries = r.entries[count:]; len(r.entries) == 0 {
		r.entries = nil // Let go of the array that a burst made large.
	}
	return taken
}

// lose counts events that will not be delivered.
func (r *ring) lose(entries ...entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped += counts(entries)
}

// lost tells how many events were dropped since it was last asked.
func (r *ring) lost() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := r.dropped
	r.dropped = 0
	return count
}

// undelivered tells how many events wait or were dropped without a word.
func (r *ring) undelivered() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped + counts(r.entries)
}

// isIdle tells whether there is neither an event nor a loss to tell of.
func (r *ring) isIdle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.entries) == 0 && r.dropped == 0
}

// bytes tells how much waits.
func (r *ring) bytes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.weight
}
