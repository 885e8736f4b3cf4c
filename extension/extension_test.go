package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func check(t *testing.T, ok bool, format string, args ...any) {
	t.Helper()
	if !ok {
		t.Errorf(format, args...)
	}
}

func TestIDsAreInOrderWhateverTheClockDoes(t *testing.T) {
	var maker ids
	shape := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	previous := ""
	for i := range 20_000 {
		now := noon
		if i > 10_000 {
			now = noon.Add(-time.Hour) // The clock was set back.
		}
		id := string(maker.append(nil, now))
		check(t, shape.MatchString(id), "not a UUIDv7: %s", id)
		check(t, id[:18] > previous, "%s does not follow %s", id, previous)
		previous = id[:18]
	}
	later := noon.Add(time.Hour)
	time := strings.ReplaceAll(string(maker.append(nil, later))[:13], "-", "")
	check(t, time == fmt.Sprintf("%012x", later.UnixMilli()), "no time in it: %s", time)
}

func TestTheRingDropsTheOldestAndCounts(t *testing.T) {
	r := newRing(100)
	for range 5 {
		r.push(entry{make([]byte, 18), 1}) // 50 with what surrounds it
	}
	check(t, r.bytes() == 100 && r.lost() == 3, "%d bytes", r.bytes())
	check(t, r.lost() == 0, "told twice")
	taken := r.take(1, 1)
	check(t, len(taken) == 1 && r.bytes() == 50, "at least one goes, however large")
	r.push(entry{make([]byte, 18), 1})
	r.back(taken)
	check(t, r.bytes() == 100 && r.lost() == 1, "what came back is the oldest")
}

func TestAReportThatIsDroppedIsNotForgotten(t *testing.T) {
	r := newRing(100)
	r.push(entry{make([]byte, 18), 7})
	r.push(entry{make([]byte, 60), 1})
	check(t, r.lost() == 7, "it stood for seven")
}

func TestTakingIsBounded(t *testing.T) {
	r := newRing(1 << 20)
	for range 100 {
		r.push(entry{make([]byte, 10), 1})
	}
	check(t, len(r.take(30, 1<<20)) == 30, "by number")
	check(t, len(r.take(100, 55)) == 5, "by size")
	check(t, len(r.take(100, 1<<20)) == 65 && len(r.take(1, 1)) == 0, "what is left")
}

func TestTheRhythmForgetsASlowStart(t *testing.T) {
	var r rhythm
	now := noon
	beat := func(gap time.Duration) bool {
		now = now.Add(gap)
		r.beat(now)
		return r.isFast()
	}
	check(t, !beat(0), "one tells nothing")
	check(t, beat(time.Second), "a second later")
	check(t, !beat(time.Hour), "an hour later")
	for range 40 {
		beat(time.Second)
	}
	check(t, beat(time.Second), "fast again")
}

func TestNightjarCannotSilenceUsForever(t *testing.T) {
	r, year := newRemote(), 365*24*3600.0
	r.heed(wishes{PausedS: &year}, noon)
	check(t, r.paused(noon.Add(59*time.Minute)) && !r.paused(noon.Add(61*time.Minute)), "an hour at most")
	half, much := 0.5, 7.0
	r.heed(wishes{Sampling: &half}, noon)
	skipped := 0
	for i := range 1000 {
		if r.skipsLines(string(rune('a'+i%26)) + strings.Repeat("x", i)) {
			skipped++
		}
	}
	check(t, skipped > 400 && skipped < 600, "half of them: %d", skipped)
	r.heed(wishes{Sampling: &much}, noon)
	check(t, !r.skipsLines("a"), "more than all is all")
}

func TestMaskingKeepsEverythingElse(t *testing.T) {
	m := masker{regexp.MustCompile(`\d{4}-\d{4}`)}
	got := m.event([]byte(`{"time":"t","type":"function","record":{"n":12345678901234567890,"a":["1234-5678<&>"]}}`))
	want := `{"record":{"a":["[masked]<&>"],"n":12345678901234567890},"time":"t","type":"function"}`
	check(t, string(got) == want, "got %s", got)
}

// The example of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html has no
// request of this kind, so the expected signature is botocore's for the same request.
func TestSignature(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
	t.Setenv("AWS_SESSION_TOKEN", "token")
	body := []byte(`{"SecretId":"arn"}`)
	request, _ := http.NewRequest(http.MethodPost, "https://secretsmanager.eu-west-1.amazonaws.com/", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	sign(request, body, "secretsmanager", "eu-west-1", noon)
	want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/eu-west-1/secretsmanager/aws4_request, " +
		"SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=4934d30a6035e3b8f66612d62a4a093966a90977911ec8cb73d320e4362d0c46"
	check(t, request.Header.Get("Authorization") == want, "got %s", request.Header.Get("Authorization"))
}

func TestSizesAreThoseOfTheFiles(t *testing.T) {
	root := t.TempDir()
	write := func(path string, bytes int) {
		_ = os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755)
		_ = os.WriteFile(filepath.Join(root, path), make([]byte, bytes), 0o600)
	}
	write("task/app.py", 10)
	write("task/numpy/core/a.so", 1000)
	write("opt/python/lib/x.py", 100)
	_ = os.Symlink("/dev/zero", filepath.Join(root, "task/link"))
	found := measureSize(root+"/task", root+"/opt", time.Minute)
	check(t, found.CodeBytes == 10+1000+int64(len("/dev/zero")) && found.LayersBytes == 100, "%+v", found)
	check(t, found.Complete && found.Files == 4, "%+v", found)
	check(t, found.Folders[0].Path == root+"/task/numpy/core" && found.Folders[0].Bytes == 1000, "%+v", found.Folders)
	late := measureSize(root+"/task", root+"/opt", -time.Second)
	check(t, !late.Complete && late.Files == 0, "%+v", late)
}

func TestFiguresOfTheKernel(t *testing.T) {
	check(t, cpuMs([]byte("cpu  100 5 20 9999 0\ncpu0 1 1 1\n")) == 1250, "cpu")
	dev := []byte("Inter-|\n face |bytes\n    lo: 9 0 0 0 0 0 0 0 9 0\n  eth0: 100 1 0 0 0 0 0 0 50 1\n")
	in, out := traffic(dev)
	check(t, in == 100 && out == 50, "%d %d", in, out)
	check(t, kilobytes("Name:\tx\nVmHWM:\t  12 kB\n", "VmHWM:") == 12<<10, "status")
	check(t, cpuMs(nil) == 0 && kilobytes("", "VmHWM:") == 0, "nothing is 0")
}

func TestAMistakeOfOursIsNotTheFunctions(t *testing.T) {
	e := &extension{shipper: newShipper(newRing(1), newRemote(), nil, "")}
	e.safely(func() { panic("oh") })
	check(t, e.broken.Load() && e.shipper.remote.paused(time.Now()), "it goes on telling")
	check(t, e.shipper.isBlocked(), "it goes on sending")
}

func newReceiver() *receiver {
	return &receiver{ring: newRing(ringBytes), remote: newRemote(), progress: newProgress()}
}

func FuzzTelemetry(f *testing.F) {
	f.Add([]byte(`[{"time":"2026-03-04T12:00:00Z","type":"function","record":"hello"}]`))
	f.Add([]byte(`[ { "time": "t", "type": "platform.runtimeDone", "record": {"requestId": "a"} }, 5, null, {} ]`))
	f.Add([]byte(`[{"time":"t","type":"function","record":{"a":[1,{"b":"\ud800"}]}}`))
	f.Add([]byte(`{"time":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := newReceiver()
		r.mask = masker{regexp.MustCompile(`a+`)}
		r.read(body, noon)
		for _, e := range r.ring.take(1<<20, 1<<30) {
			var told map[string]any
			check(t, json.Unmarshal(e.json, &told) == nil, "not JSON: %s", e.json)
			id, _ := told["id"].(string)
			check(t, len(id) == 36, "no id: %s", e.json)
		}
	})
}

func BenchmarkTelemetry(b *testing.B) {
	line := `{"time":"2026-03-04T12:00:00.000Z","type":"function","record":"` + strings.Repeat("x", 200) + `"},`
	body := []byte("[" + strings.TrimSuffix(strings.Repeat(line, 1000), ",") + "]")
	r := newReceiver()
	b.ReportAllocs()
	for b.Loop() {
		r.read(body, noon)
	}
}
