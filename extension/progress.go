package main

import (
	"context"
	"sync"
)

// progress is how far the runtime has come, as its telemetry says.
type progress struct {
	mu      sync.Mutex
	running string // request id of the invocation that began last
	ended   string // of the one whose runtime was done last
	told    string // of the one whose report came last
	changed chan struct{}
}

func newProgress() *progress { return &progress{changed: make(chan struct{})} }

func (p *progress) started(id string)  { p.set(&p.running, id) }
func (p *progress) done(id string)     { p.set(&p.ended, id) }
func (p *progress) reported(id string) { p.set(&p.told, id) }

// again forgets that the runtime was done: it begins anew with the same invocation.
func (p *progress) again() { p.set(&p.ended, "") }

func (p *progress) set(which *string, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*which = id
	close(p.changed)
	p.changed = make(chan struct{})
}

// current tells whose lines come now.
func (p *progress) current() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running
}

// wait returns once the runtime is done with an invocation, or the context ends.
func (p *progress) wait(ctx context.Context, id string) bool {
	return p.until(ctx, func() bool { return p.ended == id })
}

// settled returns once Lambda has reported what an invocation cost, or the context ends.
func (p *progress) settled(ctx context.Context) bool {
	return p.until(ctx, func() bool { return p.told == p.running })
}

func (p *progress) until(ctx context.Context, reached func() bool) bool {
	for {
		p.mu.Lock()
		there, changed := reached(), p.changed
		p.mu.Unlock()
		if there {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}
