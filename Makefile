# `make` alone lists what there is. Set-up lives in tests/setup.sh, the test phases in tests/all.sh.

TARGET := $(or $(CARGO_TARGET_DIR),target)
# rustup puts cargo here, and not every shell that calls make has read its profile.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help run test clean

help: ## List these targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

ifneq ($(DISPLAY)$(WAYLAND_DISPLAY),)
run: ## Install what is missing, build, and open the window against the sandbox, signed in
	@tests/setup.sh rust node packages-run page
	npm --prefix ui run build
	cargo build --release -p pilotlight-keeper -p pilotlight-window
	$(TARGET)/release/pilotlight-window --demo
else
run:
	@echo "make run: no display here (DISPLAY and WAYLAND_DISPLAY are empty), so there is no window to open."
	@echo "make run: building the keeper alone, and playing the demo in this terminal for a minute."
	@tests/setup.sh rust packages-keeper
	cargo build --release -p pilotlight-keeper
	$(TARGET)/release/pilotlight demo --duration 60s
endif

test: ## Run everything, the window in a real WebKit and the real servers too
	@tests/all.sh

clean: ## Remove what was built and what was installed into the checkout
	rm -rf $(TARGET) ui/dist ui/node_modules tests/.tools tests/servers/.venv tests/servers/nestjs/node_modules
