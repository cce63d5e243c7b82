//! What stands before a server that speaks plain HTTP: it speaks TLS with whoever knocks, or something else, and passes on
//! what is said. As a proxy it is asked for a host first, and speaks for it with a certificate of its own, as those of
//! companies do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional, duplex, split,
};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;

use super::authority::Identity;
use super::listen;

pub(crate) struct Front {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Clone)]
pub(crate) enum Face {
    /// Of each answer so many bytes come through, and then the line is cut, without a word of TLS.
    Cuts(Identity, usize),
    /// The handshake, a byte at a time.
    Dribbles(Identity, Duration),
    Hangs,
    /// Takes whoever knocks in, and is gone.
    HangsUp,
    /// Says that to whoever has said something, whatever it was.
    Says(Vec<u8>),
    Shows(Identity),
    /// With more of its own to say than a name.
    Speaks(Arc<ServerConfig>),
}

/// How a proxy answers who asks it for a host.
#[derive(Clone, Debug, Default)]
pub(crate) enum Lets {
    #[default]
    Everybody,
    /// Who says that in `Proxy-Authorization`, and 407 for the rest.
    Whoever(&'static str),
    /// That status for all.
    Nobody(u16),
    Hangs,
}

#[derive(Default)]
struct Shared {
    leads_to: OnceLock<String>,
    /// Whoever speaks HTTP/2.
    leads_two_to: OnceLock<String>,
    face: Mutex<Option<Face>>,
    lets: Mutex<Lets>,
    seen: Mutex<Seen>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) knocks: usize,
    /// The name that each asked for whose handshake was begun, where it said one.
    pub(crate) names: Vec<Option<String>>,
    /// Handshakes that succeeded, after which something can have been sent.
    pub(crate) trusted: usize,
    /// What proxies were asked for.
    pub(crate) hosts: Vec<String>,
}

impl Front {
    /// Its address is known before that of the server.
    pub(crate) fn new() -> Self {
        Self::serving(false)
    }

    pub(crate) fn proxy() -> Self {
        Self::serving(true)
    }

    fn serving(is_proxy: bool) -> Self {
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let address = listen::with_tasks(move |client| {
            client.set_nodelay(true).unwrap();
            serving.seen().knocks += 1;
            let shared = Arc::clone(&serving);
            async move {
                if is_proxy { answer_connect(client, &shared).await } else { receive(client, &shared).await }
            }
        });
        Self { address, shared }
    }

    /// By a name that a certificate can be for.
    pub(crate) fn origin(&self) -> String {
        format!("https://localhost:{}", self.port())
    }

    /// As a proxy is named.
    pub(crate) fn plain(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// To the server's plain origin.
    pub(crate) fn lead_to(&self, origin: &str) {
        self.shared.leads_to.set(origin.strip_prefix("http://").unwrap().to_owned()).unwrap();
    }

    /// For whoever comes with HTTP/2, where the face knows it.
    pub(crate) fn lead_two_to(&self, origin: &str) {
        self.shared.leads_two_to.set(origin.strip_prefix("http://").unwrap().to_owned()).unwrap();
    }

    /// From now on.
    pub(crate) fn set(&self, face: Face) {
        *self.shared.face.lock().unwrap() = Some(face);
    }

    pub(crate) fn shows(&self, identity: Identity) {
        self.set(Face::Shows(identity));
    }

    pub(crate) fn lets(&self, lets: Lets) {
        *self.shared.lets.lock().unwrap() = lets;
    }

    pub(crate) fn seen(&self) -> Seen {
        self.shared.seen().clone()
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

async fn answer_connect(mut client: TcpStream, shared: &Shared) -> Option<()> {
    let head = head(&mut client).await?;
    let host = head.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    shared.seen().hosts.push(host);
    let lets = shared.lets.lock().unwrap().clone();
    let status = match lets {
        Lets::Everybody => 200,
        Lets::Hangs => return std::future::pending().await,
        Lets::Nobody(status) => status,
        Lets::Whoever(said)
            if head.to_lowercase().contains(&format!("proxy-authorization: {}", said.to_lowercase())) =>
        {
            200
        }
        Lets::Whoever(_) => 407,
    };
    client
        .write_all(format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n").as_bytes())
        .await
        .ok()?;
    if status != 200 {
        return None;
    }
    // After a refusal, the next one asks on a connection of its own.
    let face = shared.face.lock().unwrap().clone()?;
    pass_on(client, face, shared).await
}

async fn receive(client: TcpStream, shared: &Shared) -> Option<()> {
    let face = shared.face.lock().unwrap().clone()?;
    pass_on(client, face, shared).await
}

async fn pass_on(mut client: TcpStream, face: Face, shared: &Shared) -> Option<()> {
    match face {
        Face::Cuts(identity, length) => {
            let mut tls = shake_hands(client, identity.server(&[]), shared).await?;
            let mut server = shared.server().await?;
            let mut request = vec![0; 64 * 1024];
            let asked = tls.read(&mut request).await.ok()?;
            server.write_all(&request[..asked]).await.ok()?;
            let mut answer = vec![0; length];
            server.read_exact(&mut answer).await.ok()?;
            tls.write_all(&answer).await.ok()?;
            tls.flush().await.ok()
        }
        Face::Dribbles(identity, pause) => {
            let (near, far) = duplex(64 * 1024);
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_us, mut to_us) = split(far);
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_us).await });
            tokio::spawn(async move {
                while let Ok(byte) = from_us.read_u8().await {
                    to_client.write_u8(byte).await?;
                    tokio::time::sleep(pause).await;
                }
                to_client.shutdown().await
            });
            speak(near, identity.server(&[]), shared).await
        }
        Face::Hangs => std::future::pending().await,
        Face::HangsUp => None,
        Face::Says(said) => {
            let mut heard = [0; 1024];
            let _first = client.read(&mut heard).await.ok()?;
            client.write_all(&said).await.ok()?;
            client.shutdown().await.ok()?;
            // Until the other one has gone as well, or what was said could be lost.
            while client.read(&mut heard).await.ok()? > 0 {}
            Some(())
        }
        Face::Shows(identity) => speak(client, identity.server(&[]), shared).await,
        Face::Speaks(config) => speak(client, config, shared).await,
    }
}

async fn speak<C: AsyncRead + AsyncWrite + Unpin>(
    client: C,
    config: Arc<ServerConfig>,
    shared: &Shared,
) -> Option<()> {
    let mut tls = shake_hands(client, config, shared).await?;
    let is_two = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let there = if is_two { &shared.leads_two_to } else { &shared.leads_to };
    let mut server = TcpStream::connect(there.get()?).await.ok()?;
    copy_bidirectional(&mut tls, &mut server).await.ok().map(|_| ())
}

async fn shake_hands<C: AsyncRead + AsyncWrite + Unpin>(
    client: C,
    config: Arc<ServerConfig>,
    shared: &Shared,
) -> Option<tokio_rustls::server::TlsStream<C>> {
    let started = tokio_rustls::LazyConfigAcceptor::new(Default::default(), client).await.ok()?;
    shared.seen().names.push(started.client_hello().server_name().map(str::to_owned));
    let tls = started.into_stream(config).await.ok()?;
    shared.seen().trusted += 1;
    Some(tls)
}

impl Shared {
    async fn server(&self) -> Option<TcpStream> {
        TcpStream::connect(self.leads_to.get()?).await.ok()
    }
}

async fn head(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}
