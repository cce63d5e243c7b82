# `make` alone lists what there is. Set-up lives in tests/setup.sh, the test phases in tests/all.sh.

TARGET := $(or $(CARGO_TARGET_DIR),target)
# rustup puts cargo here, and not every shell that calls make has read its profile.
export PATH := $(PATH):$(HOME)/.cargo/bin

PREFIX ?= $(HOME)/.local
PROGRAMS := pilotlight pilotlight-keeper pilotlight-sandbox pilotlight-window
# How the desktop knows the window, its entry and its icon.
ID := dev.pilotlight.Pilotlight
bin := $(DESTDIR)$(PREFIX)/bin
share := $(DESTDIR)$(PREFIX)/share
entry := $(share)/applications/$(ID).desktop
icons := $(share)/icons/hicolor

BUILT := $(TARGET)/release

.PHONY: help run install place uninstall test test-fast crash fuzz mutants soak lint clean

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile | expand -t 18

ifneq ($(DISPLAY)$(WAYLAND_DISPLAY),)
run: ## Install what is missing, build, and open the window against the sandbox, signed in
	@tests/setup.sh rust node packages-run page
	npm --prefix ui run build
	cargo build --release --workspace --bins
	$(TARGET)/release/pilotlight-window --demo
else
run:
	@echo "make run: no display here (DISPLAY and WAYLAND_DISPLAY are empty), so there is no window to open."
	@echo "make run: building without the window, and playing the demo in this terminal for a minute."
	@tests/setup.sh rust packages-keeper
	cargo build --release --bins
	$(TARGET)/release/pilotlight demo --duration 60s
endif

install: ## Build the programs and install them, for you alone; PREFIX=DIR for another place
	@tests/setup.sh rust node packages-run page
	npm --prefix ui run build
	cargo build --release --workspace --bins
	@$(MAKE) --no-print-directory place

place:
	install -d "$(bin)" "$(share)/applications"
	install $(PROGRAMS:%="$(BUILT)/%") "$(bin)"
	sed 's|^Exec=.*|Exec="$(PREFIX)/bin/pilotlight-window"|' src-tauri/$(ID).desktop >"$(entry)"
	install -D -m 644 src-tauri/icons/flame.svg "$(icons)/scalable/apps/$(ID).svg"
	install -D -m 644 src-tauri/icons/128x128.png "$(icons)/128x128/apps/$(ID).png"
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) echo "make install: $(PREFIX)/bin is not in your PATH, so call the programs with it." ;; esac

uninstall: ## Stop the keeper and remove what was installed; profiles and sign-ins stay
	@[ -n "$(DESTDIR)" ] || [ ! -x "$(bin)/pilotlight" ] || "$(bin)/pilotlight" stop
	rm -f $(PROGRAMS:%="$(bin)/%") "$(entry)" "$(icons)/scalable/apps/$(ID).svg" "$(icons)/128x128/apps/$(ID).png"

test: ## Run everything, the window in a real WebKit and the real servers too
	@tests/all.sh test

test-fast: ## Run what answers in seconds: the tests of the core and of the page
	@tests/all.sh test-fast

crash: ## Kill the keeper a thousand times in the middle of refreshes and count what is lost; some minutes
	@tests/setup.sh rust node packages-crash
	@tests/servers/install.sh
	cargo test --release -p pilotlight-powercut
	CRASH_KILLS=$${CRASH_KILLS:-1000} cargo test --release -p pilotlight-keeper --test crash -- --nocapture

soak: ## Live through a hundred thousand schedules in which everything goes wrong, and count which planted bugs are caught
	@tests/setup.sh rust
	SIM_SEEDS=$${SIM_SEEDS:-100000} SIM_STEPS=20000 SIM_BUGS=300 UPDATE=1 \
		cargo test --release -p pilotlight-session --test simulation a_session_holds -- --nocapture

fuzz: ## Throw anything at every parser, for FUZZ_SECONDS each (60)
	@tests/setup.sh rust packages-keeper fuzz
	@tests/fuzz/run.sh

mutants: ## Change the session's code in every way, one at a time, and see which tests mind; long, and goes on where it stopped
	@tests/setup.sh rust mutants
	@tests/mutants/run.sh

lint: ## Look at the sources: format, clippy, the page's types and style, cargo-deny
	@tests/all.sh lint

clean: ## Remove what was built and what was installed into the checkout
	rm -rf $(TARGET) ui/dist ui/node_modules tests/.tools tests/servers/.venv tests/servers/nestjs/node_modules
