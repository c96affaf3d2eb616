# incidentd needs Go and nothing else to build, run and test. The targets interop and
# yang use more, and say what is missing.
GO ?= go
PYTHON ?= python3
TESTFLAGS ?=
FUZZTIME ?= 5s
BENCH ?=
COMPARE ?= EditOne/1000$$|Parse$$|WriteXML|Replay$$|RPCs/sessions=1$$/audit=true|Edits/audit=true|GetOneOf100000$$|GetAll100000
COMPARE_PACKAGES ?= ./yang/data ./datastore ./datastore/journal ./netconf ./netconf/ops
COMPARE_COUNT ?= 6
BENCHSTAT ?= golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
SIMULATE_STEPS ?= 1000000
CROSSCHECK ?= 4000
SOAK ?= 1h
SOAK_KILL ?= 5m
SCORE_SEEDS ?= 5
SHARED ?= ../shared

.PHONY: all build run test race vet fmt fuzz bench bench-compare bench-peers promise storm churn golden interop yang simulate crosscheck hostile lab faults soak dist dist-check check clean

all: build

# build makes the static binaries.
build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/incidentd ./cmd/incctl ./cmd/yangc ./cmd/ncload

# run shows it all at once: a sample network, faults, and a server on 127.0.0.1:1830.
run: build
	bin/incidentd demo

test: vet
	$(GO) test $(TESTFLAGS) ./...

race:
	$(MAKE) test TESTFLAGS=-race

vet:
	$(GO) vet ./...

# fmt fails when a file is not as gofmt would have it, and names it.
fmt:
	@files=$$(gofmt -l $$(git ls-files '*.go' 2>/dev/null || find . -name '*.go')); \
	if [ -n "$$files" ]; then echo "not formatted:"; echo "$$files"; exit 1; fi

# fuzz runs every fuzz test for FUZZTIME. When the time ends in the middle of an input, go
# test sometimes calls that a failure of the test; it is none as long as no input failed.
fuzz:
	@grep -rlE '^func Fuzz' --include='*_test.go' . | sort | while read -r file; do \
		for name in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$$file"); do \
			echo "$$(dirname "$$file") $$name"; \
			out=$$($(GO) test "$$(dirname "$$file")" -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) 2>&1) || \
			case $$out in \
			*"Failing input"*) echo "$$out"; exit 1;; \
			*"    context deadline exceeded"*) echo "the time ended in the middle of an input";; \
			*) echo "$$out"; exit 1;; \
			esac; \
		done; \
	done

# bench runs the benchmarks that BENCHMARKS.md names and writes its tables anew; BENCH, a
# regular expression, selects some.
bench:
	$(GO) run ./cmd/internal/figures -bench '$(BENCH)'

# bench-compare compares with another revision: make bench-compare REF=HEAD~10. The
# benchmarks of both take turns, so that what others do on the machine hits both; COMPARE,
# COMPARE_PACKAGES and COMPARE_COUNT select other ones than the short selection.
bench-compare:
	@test -n "$(REF)" || { echo "bench-compare: say with what: make bench-compare REF=HEAD~10"; exit 2; }
	@dir=$$(mktemp -d) && trap 'git worktree remove --force "$$dir/ref"; rm -rf "$$dir"' EXIT && \
	git worktree add --quiet --detach "$$dir/ref" $(REF) || exit 1; \
	for turn in $$(seq $(COMPARE_COUNT)); do \
		echo "turn $$turn of $(COMPARE_COUNT)"; \
		(cd "$$dir/ref" && $(GO) test -run '^$$' -bench '$(COMPARE)' -benchtime 0.3s $(COMPARE_PACKAGES)) >>"$$dir/old" || { tail "$$dir/old"; exit 1; }; \
		$(GO) test -run '^$$' -bench '$(COMPARE)' -benchtime 0.3s $(COMPARE_PACKAGES) >>"$$dir/new" || { tail "$$dir/new"; exit 1; }; \
	done; \
	$(GO) run $(BENCHSTAT) "$(REF)=$$dir/old" "now=$$dir/new"

# bench-peers measures the server beside Debian's netconfd (apt: netconfd, openssh-server)
# and writes the comparison into BENCHMARKS.md. It takes about a quarter of an hour.
bench-peers: build
	$(GO) run ./cmd/internal/peers

# promise is the storm of BenchmarkPromise in its long form: a minute, and a replay of a
# million notifications beside it.
promise:
	PROMISE_SECONDS=60 PROMISE_REPLAY=1000000 $(GO) test -run '^$$' -bench Promise -benchtime 1x -timeout 20m ./netconf/subscribe

# storm is TestStorm for a minute: more events than can be taken, in bounded memory, and none
# lost that was acknowledged. go test has a short form.
storm:
	STORM_SECONDS=60 $(GO) test -count=1 -timeout 20m -run 'TestStorm$$' -v ./incident

# churn is TestChurn for ten minutes, and TestReceiverLosesLinks with a thousand cuts; go
# test has short forms.
churn:
	CHURN_SECONDS=600 $(GO) test -race -count=1 -timeout 20m -run Churn -v ./netconf/subscribe
	CUTS=1000 $(GO) test -count=1 -timeout 60m -run ReceiverLosesLinks -v ./cmd/internal/server

# golden rewrites the golden files; review the difference like code.
golden:
	$(GO) test $$(grep -rlE 'flag\.Bool\("update"' --include='*_test.go' . | xargs -n1 dirname | sort -u) -update

# interop lets foreign clients loose on the server: ncclient, netconf-console2,
# scrapli-netconf, yangcli, OpenSSH and go-netconf; scapy is the other end of STAMP.
# dateutil computes schedules.
interop: build .venv/.ready
	PYTHONDONTWRITEBYTECODE=1 .venv/bin/python testdata/interop/run.py
	.venv/bin/python testdata/interop/schedules.py schedule/testdata/cases.json schedule/testdata/expected.json
	INCIDENTD_BIN=$(CURDIR)/bin/incidentd $(GO) test -count=1 -v ./cmd/internal/interop

.venv/.ready: testdata/interop/requirements.txt
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r testdata/interop/requirements.txt
	touch $@

# yang checks the modules: yanglint accepts each, the sample data is valid, and the
# schema is that of the standards where the reference modules are at hand.
yang:
	@if ! command -v yanglint >/dev/null; then \
		echo "yang: yanglint is not installed (apt: libyang2-tools); skipped"; exit 0; fi; \
	for file in yang/modules/*.yang; do yanglint -p yang/modules "$$file" || exit 1; done; \
	for file in cmd/internal/demo/testdata/networks.xml testdata/interop/network.xml; do \
		yanglint -p yang/modules yang/modules/ietf-network@*.yang yang/modules/ietf-network-topology@*.yang \
			yang/modules/incidentd-inventory@*.yang -t config "$$file" || exit 1; \
	done; \
	echo "yang: yanglint accepts the modules and the sample networks"
	@if [ -x $(SHARED)/tools/yang-equiv ]; then $(SHARED)/tools/yang-equiv yang/modules; \
	else echo "yang: no reference modules at $(SHARED); the comparison is skipped"; fi

# lab builds a network of four routers of FRRouting in network namespaces, breaks it and
# shows what the server makes of that; LAB=-stay leaves it up. It needs Linux, root and the
# Debian packages frr, rsyslog, iproute2, nftables and iputils-ping, and says so where they are missing.
lab: build
	$(GO) run ./cmd/internal/lab $(LAB)

# faults breaks a chain of three routers in network namespaces in many ways, and scores how
# many of them diagnosis names and locates. It takes six minutes; go test tries some.
faults:
	DIAGNOSE_FAULTS=all $(GO) test -count=1 -timeout 20m -v -run 'TestFaults' ./incident/diagnose | grep -E 'want|are named|FAIL|ok'

# simulate drives the datastores through a million random steps with crashes, against a
# plain model; it prints its seed, and SIMULATE_SEED repeats a run. go test has a short
# form.
simulate:
	TMPDIR=$${TMPDIR:-/dev/shm} GOGC=400 SIMULATE_STEPS=$(SIMULATE_STEPS) $(GO) test ./datastore -run TestSimulation -count=1 -timeout 30m -v

# crosscheck compares validation with yanglint over 48,000 instances: CROSSCHECK of each
# family. It prints its seed, and INCIDENTD_SEED repeats a run. go test has a short form.
crosscheck:
	INCIDENTD_CROSSCHECK=$(CROSSCHECK) $(GO) test -count=1 -timeout 20m -v -run CrossCheck ./yang/validate

# soak puts the server under mixed load for an hour and kills it every five minutes: nothing
# that was acknowledged may be lost, and nothing may grow. SOAK and SOAK_KILL say otherwise.
soak: build
	$(GO) run ./cmd/internal/soak -for $(SOAK) -kill $(SOAK_KILL)

# score tells how well the correlator judges: simulated networks of several seeds, one of
# thousands of nodes, the recorded ones and the learner's where the reference data are at hand.
# go test has short forms.
score:
	SCORE_SEEDS=$(SCORE_SEEDS) SCORE_LARGE=1 $(GO) test -count=1 -v -timeout 60m -run 'Quality|Maps|Score|Degraded' ./incident/correlate
	$(GO) test -count=1 -v -run 'Wireless|Contest' ./incident/learn

# hostile sends what no client should, and bounds the memory that the server takes for
# it. The race detector takes memory of its own, so make race leaves it out.
hostile:
	$(GO) test -count=1 -run Hostile -v ./netconf ./cmd/internal/server

# dist builds a release into dist/: static binaries for linux/amd64 and arm64 in tar files
# and Debian packages, with manual pages, completion scripts and the systemd unit, and
# checksums. ARCHES and VERSION choose others. It needs GNU tar.
dist:
	packaging/dist.sh dist

# dist-check builds it twice, in different places, compares every byte, and starts what is
# in the package. COLD=1 compiles all anew the second time.
dist-check:
	packaging/check.sh

check: fmt race hostile fuzz interop yang

clean:
	rm -rf bin dist .venv demo-data
