//! Certificates, each made for one test.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, version};

pub(crate) struct Authority {
    own: CertifiedIssuer<'static, KeyPair>,
}

/// What a server shows, and the key to it.
#[derive(Clone)]
pub(crate) struct Identity {
    der: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self { own: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// As it stands in a file.
    pub(crate) fn pem(&self) -> String {
        self.own.pem()
    }

    pub(crate) fn vouches_for(&self, name: &str) -> Identity {
        self.vouches_with(name, |_| {})
    }

    /// With changes.
    pub(crate) fn vouches_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let (mut params, key) = of_a_server(name);
        change(&mut params);
        Identity::of(&params.signed_by(&key, &self.own).unwrap(), &key)
    }

    pub(crate) fn expired(&self, name: &str) -> Identity {
        self.vouches_with(name, |params| params.not_after = date_time_ymd(2020, 1, 1))
    }

    pub(crate) fn not_valid_yet(&self, name: &str) -> Identity {
        self.vouches_with(name, |params| params.not_before = date_time_ymd(2096, 1, 1))
    }

    /// A certificate for somebody who is no server.
    pub(crate) fn of_a_client(&self, name: &str) -> Identity {
        self.vouches_with(name, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        })
    }
}

impl Identity {
    /// Nobody vouches for it but itself.
    pub(crate) fn self_signed(name: &str) -> Self {
        let (params, key) = of_a_server(name);
        Self::of(&params.self_signed(&key).unwrap(), &key)
    }

    /// As many make it: the certificate of an authority, shown by the server itself.
    pub(crate) fn of_its_own_authority(name: &str) -> Self {
        let (mut params, key) = of_a_server(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::of(&params.self_signed(&key).unwrap(), &key)
    }

    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self { der: certificate.der().clone(), key: key.serialize_der() }
    }

    pub(crate) fn server(&self, speaks: &[&str]) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_protocol_versions(&[&version::TLS13, &version::TLS12]).unwrap();
        self.shown_by(builder.with_no_client_auth(), speaks)
    }

    /// Whoever comes must have one of that authority, too.
    pub(crate) fn server_for_clients_of(&self, authority: &Authority) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.own.der().clone()).unwrap();
        let provider = Arc::new(default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder.with_protocol_versions(&[&version::TLS13]).unwrap();
        self.shown_by(builder.with_client_cert_verifier(verifier.build().unwrap()), &[])
    }

    fn shown_by(
        &self,
        builder: tokio_rustls::rustls::ConfigBuilder<
            ServerConfig,
            tokio_rustls::rustls::server::WantsServerCert,
        >,
        speaks: &[&str],
    ) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::try_from(self.key.clone()).unwrap();
        let mut config = builder.with_single_cert(vec![self.der.clone()], key).unwrap();
        config.alpn_protocols = speaks.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

fn of_a_server(name: &str) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "a server of the tests");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params, KeyPair::generate().unwrap())
}
