# The two commands that matter:
#   make demo    a hub and six simulated printers on this machine
#   make test    everything that checks the project on a developer's machine
# `make help` lists the rest.

SHELL := /bin/bash
CARGO ?= cargo
DASHBOARD := hub/dashboard
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Where nobody looks at a changed lock file, it must not change.
LOCKED := $(if $(CI),--locked)

# Cargo's profile. `make test` builds all that it needs once, as `checked` (Cargo.toml says what that is); alone, a target
# takes what a person has built anyway.
PROFILE := $(or $(STARDUST_PROFILE),dev)
DEMO_PROFILE := $(or $(STARDUST_PROFILE),release)
# All at once or none: other packages ask for other features of the dependencies, which would then be built again.
EVERYTHING := --workspace --all-targets
BENCH_PACKAGES := $(if $(STARDUST_PROFILE),$(EVERYTHING),-p stardust-agent -p stardust-hub -p firmware-sim -p stardust-bench)
DEMO_PACKAGES := $(if $(STARDUST_PROFILE),$(EVERYTHING),-p stardust-hub -p stardust-agent -p firmware-sim -p stardust -p stardust-demo)

DEMO_DATA ?= demo-data
DEMO_PORT ?= 8080
DEMO_MQTT_PORT ?= 1883
DEMO_PRINTERS ?= 6
DEMO_SPEED ?= 20
DEMO_SAMPLES := fixtures/gcode/ps_teapot_ender3_thumbs_mix.gcode fixtures/gcode/cura_teapot_ender3_marlin.gcode

.DEFAULT_GOAL := help
.PHONY: help bench demo test ci setup-demo setup-test setup-ci format format-check dashboard dashboard-packages test-dashboard lint build \
	test-rust every-file e2e e2e-sqlite e2e-postgres build-demo check-demo exactness geometry texts survive virtual-network heat fuzz docs deny api deb \
	check-units test-host slow-disk clean

help: ## this list
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 24

demo: setup-demo dashboard build-demo ## start a hub and simulated printers (DEMO_PORT, DEMO_MQTT_PORT, DEMO_PRINTERS, DEMO_SPEED, DEMO_DATA)
	@exec $(TARGET)/$(DEMO_PROFILE)/stardust-demo --data $(DEMO_DATA) \
		--listen 127.0.0.1:$(DEMO_PORT) --mqtt-listen 127.0.0.1:$(DEMO_MQTT_PORT) \
		--printers $(DEMO_PRINTERS) --speed $(DEMO_SPEED) $(addprefix --sample ,$(DEMO_SAMPLES))

build-demo: dashboard
	@$(CARGO) build --profile $(DEMO_PROFILE) $(LOCKED) $(DEMO_PACKAGES)

check-demo: ## does `make demo` keep its promises? (time to the dashboard, memory, Ctrl-C, second start)
	@scripts/check-demo.sh

test: ## everything: format, lints, dashboard, Rust, end to end on both databases, docs, licences
	@scripts/test.sh

ci: ## what continuous integration runs: make test and make test-host, in one go (root)
	@scripts/test.sh with-host

bench: ## how fast and how dear the agent is as a print host; ratios against the least any host must do (BENCH_ARGS)
	$(CARGO) build --release $(LOCKED) -p stardust-agent -p stardust-hub -p firmware-sim -p stardust-bench
	@$(TARGET)/release/stardust-bench $(BENCH_ARGS)

slow-disk: ## an agent on a disk of 20 MB/s with a file of 1 GiB: is it there all the time? (root; 5 GB, minutes)
	$(CARGO) build --profile $(DEMO_PROFILE) $(LOCKED) $(BENCH_PACKAGES)
	@scripts/slow-disk.sh $(TARGET)/$(DEMO_PROFILE)/stardust-bench $(BENCH_ARGS)

setup-demo:
	@scripts/setup.sh demo

setup-test:
	@scripts/setup.sh test

setup-ci:
	@scripts/setup.sh test host

format: ## format the Rust code
	$(CARGO) fmt --all

format-check: ## is the Rust code formatted?
	$(CARGO) fmt --all --check

# npm ci only when the lock changed; vite only when a source changed. Folders are listed too: a file that is
# removed changes its folder only.
DASHBOARD_INSTALLED := $(DASHBOARD)/node_modules/.installed
DASHBOARD_BUILT := $(DASHBOARD)/dist/index.html
DASHBOARD_SOURCES := $(shell find $(DASHBOARD)/src $(DASHBOARD)/public 2>/dev/null) \
	$(wildcard $(DASHBOARD)/*.html $(DASHBOARD)/*.json $(DASHBOARD)/*.ts)

$(DASHBOARD_INSTALLED): $(DASHBOARD)/package-lock.json $(DASHBOARD)/package.json
	cd $(DASHBOARD) && npm ci --no-audit --no-fund
	@touch $@

$(DASHBOARD_BUILT): $(DASHBOARD_INSTALLED) $(DASHBOARD_SOURCES)
	cd $(DASHBOARD) && npm exec -- vite build --logLevel warn
	@# Cargo looks only at the embedded files that were there at its last build: new ones need a nudge.
	@touch $@; touch -c hub/src/dashboard.rs

dashboard-packages: $(DASHBOARD_INSTALLED)

dashboard: $(DASHBOARD_BUILT) ## build the dashboard; the hub embeds it at its own next build

test-dashboard: $(DASHBOARD_INSTALLED) ## the dashboard: lint, types, API types, unit tests, build
	cd $(DASHBOARD) && npm run --silent lint && npm run --silent typecheck && npm run --silent api:check && npm run --silent test
	@$(MAKE) -s dashboard

lint: ## clippy; the workspace denies all warnings
	$(CARGO) clippy --profile $(PROFILE) $(LOCKED) $(EVERYTHING)

# All targets, not only the binaries: the tests then use the very same build of every dependency.
build: dashboard ## debug binaries, which the end-to-end tests start, and the tests themselves
	$(CARGO) build --profile $(PROFILE) $(LOCKED) $(EVERYTHING)

# Prints a collection of files that is not in the repository: a step of its own.
EVERY_FILE := binary(every_file)
# No hub, no database: once is enough.
WITHOUT_HUB := (binary(families) + $(EVERY_FILE))
# Where it is, unless STARDUST_PRINT_FILES says something else.
PRINT_FILES := $(or $(STARDUST_PRINT_FILES),$(abspath ../shared/data/gcode))

test-rust: build ## all Rust tests, with a throw-away PostgreSQL
	scripts/with-postgres.sh $(CARGO) nextest run --cargo-profile $(PROFILE) $(LOCKED) --workspace -E "not $(EVERY_FILE)"

every-file: build ## every print file of the collection, printed to its end (STARDUST_PRINT_FILES)
	STARDUST_PRINT_FILES=$(PRINT_FILES) $(CARGO) nextest run --cargo-profile $(PROFILE) $(LOCKED) --workspace -E "$(EVERY_FILE)"

e2e: e2e-sqlite e2e-postgres ## only the end-to-end tests, on both databases

# Chosen by a filter, not by -p: that would build the dependencies again with fewer features.
e2e-sqlite: build
	$(CARGO) nextest run --cargo-profile $(PROFILE) $(LOCKED) --workspace -E "package(stardust-e2e) - $(EVERY_FILE)"

e2e-postgres: build
	STARDUST_E2E_DATABASE=postgres scripts/with-postgres.sh $(CARGO) nextest run --cargo-profile $(PROFILE) $(LOCKED) --workspace -E "package(stardust-e2e) - $(WITHOUT_HUB)"

exactness: ## many seeded runs of the host against faults on a virtual clock (RUNS); a failing seed is printed
	STARDUST_RUNS=$(or $(RUNS),10000) $(CARGO) test --release $(LOCKED) -p stardust-agent --test exactness -- --nocapture

geometry: ## many seeded pauses, cancels and layer recoveries against what stands on the bed (RUNS); a failing seed is printed
	STARDUST_RUNS=$(or $(RUNS),1200) $(CARGO) test --release $(LOCKED) -p stardust-agent --test geometry -- --nocapture

texts: ## many odd files, each on a firmware of the simulator: printed as they stand, or refused (RUNS); a failing seed is printed
	STARDUST_RUNS=$(or $(RUNS),10000) $(CARGO) test --release $(LOCKED) -p stardust-agent --test dialects -- --nocapture generated

survive: ## the agent, killed at so many random moments of real jobs (RUNS); its seed is printed (STARDUST_SEED)
	STARDUST_KILLS=$(or $(RUNS),200) $(CARGO) test --release $(LOCKED) -p stardust-agent --test survive_kill -- --nocapture

virtual-network: ## many seeded runs of agents and hub on a virtual network and clock (RUNS); a failing seed is printed
	STARDUST_RUNS=$(or $(RUNS),2000) $(CARGO) test --release $(LOCKED) -p stardust-virtual-network --test protocol -- --nocapture

heat: ## many seeded runs in which nothing may stay hot with nobody there (RUNS); a failing seed is printed
	STARDUST_RUNS=$(or $(RUNS),5000) $(CARGO) test --release $(LOCKED) -p stardust-virtual-network --test heat -- --nocapture

fuzz: ## any bytes into the parsers, some seconds for each (FUZZ_SECONDS)
	@scripts/fuzz.sh $(or $(FUZZ_SECONDS),3)

# The first shows what the tests can't: that what is shipped compiles without the features that only tests ask for.
docs: ## the crates' documentation; warnings are errors
	$(CARGO) check --profile $(PROFILE) $(LOCKED) --workspace
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --profile $(PROFILE) $(LOCKED) --workspace --no-deps

deny: ## licences, duplicate and banned crates, sources
	$(CARGO) deny check bans licenses sources

api: $(DASHBOARD_INSTALLED) ## write the OpenAPI document and the dashboard's types anew, after a change of the API
	$(CARGO) run -q -p stardust-hub -- openapi > hub/openapi.json.new
	mv hub/openapi.json.new hub/openapi.json
	cd $(DASHBOARD) && npm run --silent api

deb: ## Debian packages of agent and hub, into target/debian; ARCH=arm64 or armhf: of the agent for a Raspberry Pi
	@scripts/deb.sh $(ARCH)

check-units: ## the systemd units: understood without a word, and hardened
	@scripts/check-units.sh

test-host: ## the packages in a booted Debian 12: install, print, kill, upgrade in mid-print, remove (root; minutes)
	@scripts/test-host.sh

clean: ## remove all that was built (not the demo's data)
	$(CARGO) clean
	rm -rf $(DASHBOARD)/node_modules $(DASHBOARD)/dist
