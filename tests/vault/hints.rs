//! What logind, NetworkManager, systemd-networkd and the kernel tell, and machines that have none of the first three.

use std::time::Duration;

use keeper::adapters::hints::{self, SystemHint};
use session::network::{Teller, Word};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::desk::{on_a_desk, with_the_bus_at};
use super::logind::Logind;
use super::networks::{NetworkManager, Networkd};

/// Row A1.
#[test]
fn what_logind_announces_is_heard() {
    on_a_desk("hints::what_logind_announces_is_heard", |desk| {
        desk.ask_apart(async |bus| {
            let mut logind = Logind::on(bus).await?;
            let mut heard = Heard::listen();
            let short = Duration::from_millis(300);
            for _ in 0..2 {
                let mut delay = logind.delay().await;
                logind.prepares_for_sleep(true).await?;
                let SystemHint::AboutToSleep(inhibitor) = heard.next_of_sleep().await else { panic!() };
                assert!(delay.is_held_for(short).await);
                drop(inhibitor);
                assert!(!delay.is_held_for(short).await);
                logind.prepares_for_sleep(false).await?;
                assert!(matches!(heard.next_of_sleep().await, SystemHint::Woke));
            }
            Ok(())
        });
    });
}

/// Row A3.
#[test]
fn what_networkmanager_says_is_heard_whenever_it_comes_and_goes() {
    on_a_desk("hints::what_networkmanager_says_is_heard_whenever_it_comes_and_goes", |desk| {
        desk.ask_apart(async |bus| {
            let mut heard = Heard::listen();
            let by = Teller::NetworkManager;
            assert_eq!(heard.next_of(by).await, Word::Nothing, "it is not there");
            let manager = NetworkManager::on(bus.clone(), 20, 1).await?;
            assert_eq!(heard.next_of(by).await, Word::Down);
            manager.says(40, 1).await?;
            assert_eq!(heard.next_of(by).await, Word::Down, "it connects");
            manager.says(60, 2).await?;
            assert_eq!(heard.next_of(by).await, Word::Down, "a page stands before everything");
            manager.says(60, 4).await?;
            assert_eq!(heard.next_of(by).await, Word::Up, "the page lets through");
            manager.says(70, 4).await?;
            assert_eq!(heard.next_of(by).await, Word::Up);
            manager.goes_through("/org/freedesktop/NetworkManager/ActiveConnection/7").await?;
            assert_eq!(heard.next_of(by).await, Word::Up, "a change of network is told as well");
            manager.says(0, 0).await?;
            assert_eq!(heard.next_of(by).await, Word::Nothing, "it does not know");
            manager.says(70, 4).await?;
            heard.next_of(by).await;
            manager.goes().await?;
            assert_eq!(heard.next_of(by).await, Word::Nothing);
            let _back = NetworkManager::on(bus, 70, 4).await?;
            assert_eq!(heard.next_of(by).await, Word::Up, "it is back");
            Ok(())
        });
    });
}

#[test]
fn what_networkd_says_is_heard_of_old_versions_too() {
    on_a_desk("hints::what_networkd_says_is_heard_of_old_versions_too", |desk| {
        desk.ask_apart(async |bus| {
            let mut heard = Heard::listen();
            let by = Teller::Networkd;
            assert_eq!(heard.next_of(by).await, Word::Nothing, "it is not there");
            let networkd = Networkd::on(bus, "offline", "routable").await?;
            assert_eq!(heard.next_of(by).await, Word::Down, "a bridge of containers is no way out");
            for (online, operational, word) in [
                ("online", "routable", Word::Up),
                ("partial", "degraded", Word::Up),
                ("offline", "no-carrier", Word::Down),
                // Before systemd 249, and where it manages nothing.
                ("", "routable", Word::Up),
                ("", "carrier", Word::Down),
                ("unknown", "routable", Word::Up),
                ("", "", Word::Nothing),
            ] {
                networkd.says(online, operational).await?;
                assert_eq!(heard.next_of(by).await, word, "{online} {operational}");
            }
            networkd.says("online", "routable").await?;
            assert_eq!(heard.next_of(by).await, Word::Up);
            networkd.goes().await?;
            assert_eq!(heard.next_of(by).await, Word::Nothing);
            Ok(())
        });
    });
}

/// Then the kernel is believed, which speaks on every machine.
#[test]
fn without_a_system_bus_there_is_only_the_kernel_to_hear() {
    let test = "hints::without_a_system_bus_there_is_only_the_kernel_to_hear";
    with_the_bus_at("unix:path=/nowhere", test, |_| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut heard = Heard::listen();
            let mut by: Vec<_> = Vec::new();
            for _ in 0..3 {
                let SystemHint::Network { by: teller, word } = heard.next().await else { panic!() };
                assert_eq!(word == Word::Nothing, teller != Teller::Kernel, "{teller:?}");
                by.push(teller);
            }
            for teller in [Teller::NetworkManager, Teller::Networkd, Teller::Kernel] {
                assert!(by.contains(&teller), "{teller:?}");
            }
        });
    });
}

struct Heard(mpsc::Receiver<SystemHint>);

impl Heard {
    fn listen() -> Self {
        let (tx, rx) = mpsc::channel(8);
        hints::listen(tx);
        Self(rx)
    }

    async fn next(&mut self) -> SystemHint {
        timeout(Duration::from_secs(20), self.0.recv()).await.expect("nothing is heard").expect("it ended")
    }

    async fn next_of(&mut self, wanted: Teller) -> Word {
        loop {
            if let SystemHint::Network { by, word } = self.next().await
                && by == wanted
            {
                return word;
            }
        }
    }

    async fn next_of_sleep(&mut self) -> SystemHint {
        loop {
            match self.next().await {
                SystemHint::Network { .. } => {}
                hint @ (SystemHint::AboutToSleep(_) | SystemHint::Woke) => return hint,
            }
        }
    }
}
