//! Connections, ports and the end.

use super::*;

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let lab = Lab::new().await;
    let one = "GET /nestjs/aaa HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = "GET /nestjs/bbb HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let heard = raw(lab.sandbox.address(), &format!("{one}{one}{last}")).await.unwrap();
    assert_eq!(heard.matches("HTTP/1.1 401").count(), 3);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let lab = Lab::new().await;
    let port = lab.sandbox.address().port();
    let Err(error) = start(Settings { port, ..Settings::default() }).await else { panic!("it is in use") };
    assert!(matches!(error, StartError::PortInUse { port: named } if named == port));
    assert_eq!(error.to_string(), format!("port {port} on 127.0.0.1 is in use"));
}

#[tokio::test]
async fn stopping_frees_the_port_and_idle_connections() {
    let lab = Lab::new().await;
    let port = lab.sandbox.address().port();
    let mut idle = TcpStream::connect(lab.sandbox.address()).await.unwrap();
    lab.get("/flask/protected", "").await;
    let began = Instant::now();
    lab.sandbox.stop().await;
    assert!(began.elapsed() < Duration::from_millis(400), "nothing had to be cut off");
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    start(Settings { port, ..Settings::default() }).await.unwrap().stop().await;
}

#[tokio::test]
async fn stopping_does_not_wait_for_latency() {
    let lab = Lab::new().await;
    lab.on(Fault::Latency, json!({"value": 60_000})).await;
    let address = lab.sandbox.address();
    let asking =
        tokio::spawn(async move { raw(address, "GET /nestjs/refresh HTTP/1.1\r\nhost: x\r\n\r\n").await });
    lab.until(|control| control.counters().nestjs.refreshes_received == 1).await;
    let began = Instant::now();
    lab.sandbox.stop().await;
    assert_eq!(asking.await.unwrap().unwrap(), "");
    assert!(began.elapsed() < Duration::from_millis(400), "nothing had to be cut off");
}

#[tokio::test]
async fn dropping_stops_too() {
    let lab = Lab::new().await;
    let address = lab.sandbox.address();
    lab.on(Fault::Hang, json!({})).await;
    let asking =
        tokio::spawn(async move { raw(address, "GET /flask/protected HTTP/1.1\r\nhost: x\r\n\r\n").await });
    lab.until(|control| !control.log(0).is_empty()).await;
    drop(lab);
    assert_eq!(asking.await.unwrap().unwrap(), "");
}
