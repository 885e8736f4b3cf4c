// Nightjar's companion extension: it tells Nightjar everything that a Lambda function does.
//
// Lambda starts it beside the function and posts the function's telemetry to it; it gives each event an id and ships
// them in bodies. Whatever goes wrong here, the function goes on: the worst that we do is to be silent.
package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// version is that of the release; the linker sets it.
var version = "0"

const (
	ringBytes    = 4 << 20
	memoryBytes  = 16 << 20 // The garbage collector works harder beyond this.
	lastWords    = 100 * time.Millisecond
	margin       = 200 * time.Millisecond // before the end of a function's time
	lastReport   = 300 * time.Millisecond
	sandbox      = "sandbox.localdomain" // The environment's name for itself.
	managed      = "lambda-managed-instances"
	initTypeName = "AWS_LAMBDA_INITIALIZATION_TYPE"
)

func main() {
	born := time.Now()
	log.SetOutput(io.Discard) // Where net/http would talk to the owner of the function.
	debug.SetMemoryLimit(memoryBytes)
	ctx := context.Background()
	host := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	if host == "" {
		warn("this is an extension of AWS Lambda, and only runs there.")
		os.Exit(1)
	}
	api := newLambda(host)
	events := []string{invoke, shutdown}
	if os.Getenv(initTypeName) == managed { // Which runs many invocations at once, and tells extensions of none.
		events = events[1:]
	}
	known, err := api.register(ctx, filepath.Base(os.Args[0]), events...)
	if err != nil {
		warn("Lambda does not let us register: " + err.Error())
		os.Exit(1)
	}
	e, err := build(ctx, api, known)
	if err != nil {
		warn(err.Error() + "; nothing is sent from here.")
		idle(ctx, api)
		return
	}
	e.shipper.envelope.extension = about{version, float64(time.Since(born).Microseconds()) / 1000}
	e.run(ctx)
}

// warn writes the one line that we are allowed to; the function's log shows it.
func warn(text string) { fmt.Fprintln(os.Stderr, "nightjar: "+text) }

// idle does nothing for as long as the environment lives: an extension that leaves would take the function with it.
func idle(ctx context.Context, api *lambda) {
	for {
		if e, err := api.next(ctx); err != nil || e.Type == shutdown {
			return
		}
	}
}

// build puts the parts together. Its error is for the owner of the function.
func build(ctx context.Context, api *lambda, known registration) (*extension, error) {
	settings, err := readConfig()
	if err != nil {
		return nil, err
	}
	client, err := newClient(settings.caFile)
	if err != nil {
		return nil, err
	}
	e := &extension{
		api: api, settings: settings, client: client, remote: newRemote(), ring: newRing(ringBytes),
		progress: newProgress(), meter: newMeter(),
	}
	e.shipper = newShipper(e.ring, e.remote, client, settings.endpoint)
	e.shipper.envelope.function = describe(known, settings)
	listener, address, err := listen(cmp.Or(os.Getenv("NIGHTJAR_LISTEN"), sandbox))
	if err != nil {
		return nil, fmt.Errorf("no port for telemetry: %w", err)
	}
	receive := &receiver{
		ring: e.ring, remote: e.remote, progress: e.progress, mask: settings.masks, nudge: e.shipper.nudge,
	}
	server := &http.Server{Handler: receive, ReadHeaderTimeout: attemptTime}
	go func() { _ = server.Serve(listener) }()
	if err := api.subscribe(ctx, address, settings.streams); err != nil {
		return nil, fmt.Errorf("no telemetry: %w", err)
	}
	return e, nil
}

// newClient honours the usual variables for proxies and trusts one more file of certificates if asked to.
func newClient(caFile string) (*http.Client, error) {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1, TLSHandshakeTimeout: attemptTime,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("NIGHTJAR_CA_FILE cannot be read: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("NIGHTJAR_CA_FILE has no certificate in PEM: %s", caFile)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: transport, CheckRedirect: refuse}, nil
}

// describe says what the environment knows of its function.
func describe(known registration, settings config) function {
	_, ephemeral := diskUse("/tmp")
	region := os.Getenv("AWS_REGION")
	described := function{
		Version: known.FunctionVersion, MemoryMB: settings.memoryMB, EphemeralMB: int(ephemeral >> 20),
		Architecture: map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH],
		InitType:     os.Getenv(initTypeName), LogGroup: os.Getenv("AWS_LAMBDA_LOG_GROUP_NAME"),
	}
	if known.AccountID != "" {
		described.ARN = fmt.Sprintf(
			"arn:%s:lambda:%s:%s:function:%s", partition(region), region, known.AccountID, known.FunctionName)
	}
	return described
}

func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
