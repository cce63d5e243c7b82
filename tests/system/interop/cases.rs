//! Which servers, in which of their moods, and what each is expected to allow.

/// A way to live with a provider.
pub(super) struct Case {
    /// Of its profile, and of the thread.
    pub(super) name: &'static str,
    pub(super) server: &'static str,
    /// The column of the table.
    pub(super) title: &'static str,
    pub(super) env: &'static [(&'static str, &'static str)],
    pub(super) profile: Profile,
    pub(super) way: Way,
    /// Of the API.
    pub(super) path: &'static str,
    pub(super) token: Token,
    /// A refresh brings another refresh token.
    pub(super) rotates: bool,
    pub(super) lost: LostAnswer,
    pub(super) revocation: Noticed,
}

/// How the profile comes to be.
pub(super) enum Profile {
    /// `pilotlight add` with these.
    Added(&'static [&'static str]),
    /// Written by hand, for what `add` has no flags for.
    Written(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    Browser,
    Device,
    Password,
    Secret,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token {
    Opaque,
    Jwt,
    /// Bound to a key, and opaque.
    Bound,
}

/// What can become of a session whose new tokens never arrived.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum LostAnswer {
    /// The token that was sent is still good, or was good for a repetition.
    GoesOn,
    /// It was good once. Nobody but the person can help.
    Ends,
}

/// By what a revocation behind the client's back comes to light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Noticed {
    Request,
    /// With what it asks.
    Heartbeat(&'static str),
    /// The client has its own secret to come back with.
    NeedsNobody,
}

pub(super) const REJECTS: &str = "rejects = [{ status = [403], body = { empty = true } }]";

const OIDC: Case = Case {
    name: "",
    server: "oidc-provider",
    title: "",
    env: &[],
    profile: Profile::Added(&[]),
    way: Way::Browser,
    path: "/me",
    token: Token::Opaque,
    rotates: true,
    lost: LostAnswer::Ends,
    revocation: Noticed::Request,
};

const DOT: Case = Case { server: "dot", path: "/api/protected", ..OIDC };

pub(super) const CASES: &[Case] = &[
    Case {
        name: "oidc-code",
        title: "code",
        profile: Profile::Added(&[
            "--issuer",
            "{origin}",
            "--client-id",
            "desktop",
            "--dpop",
            "off",
            "--heartbeat",
            "1h",
        ]),
        ..OIDC
    },
    Case {
        name: "oidc-jwt",
        title: "code, JWT for an API, `ROTATE=off`",
        env: &[("ROTATE", "off"), ("AT_FORMAT", "jwt")],
        profile: Profile::Written(
            r#"
            heartbeat = "1h"
            refresh_before = "0s"
            [profile.oidc-jwt.oauth]
            issuer = "{origin}"
            client_id = "desktop"
            scopes = ["openid", "offline_access", "read"]
            resource_indicators = ["{origin}/api"]
            dpop = false
            probe = "none""#,
        ),
        path: "/api/protected",
        token: Token::Jwt,
        rotates: false,
        lost: LostAnswer::GoesOn,
        ..OIDC
    },
    Case {
        name: "oidc-opaque",
        title: "code, opaque for an API, `ROTATE=on`",
        env: &[("ROTATE", "on"), ("AT_FORMAT", "opaque")],
        profile: Profile::Added(&[
            "--issuer",
            "{origin}",
            "--client-id",
            "desktop",
            "--scope",
            "openid offline_access",
            "--scope",
            "read",
            "--resource",
            "{origin}/api",
            "--resource",
            "/api/protected",
            "--dpop",
            "off",
            "--redirect-host",
            "localhost",
            "--heartbeat",
            "1h",
        ]),
        path: "/api/protected",
        ..OIDC
    },
    Case {
        name: "oidc-dpop",
        title: "code, DPoP",
        profile: Profile::Written(
            r#"
            heartbeat = "1h"
            [profile.oidc-dpop.oauth]
            issuer = "{origin}"
            client_id = "desktop-dpop"
            probe = "userinfo""#,
        ),
        token: Token::Bound,
        rotates: false,
        lost: LostAnswer::GoesOn,
        revocation: Noticed::Heartbeat("userinfo"),
        ..OIDC
    },
    Case {
        name: "oidc-nonce",
        title: "code, DPoP with nonces, `ROTATE=on`",
        env: &[("ROTATE", "on"), ("DPOP_NONCE", "1")],
        profile: Profile::Written(
            r#"
            heartbeat = "1h"
            refresh_before = "0s"
            [profile.oidc-nonce.oauth]
            issuer = "{origin}"
            client_id = "desktop-dpop"
            dpop = true
            probe = "introspection""#,
        ),
        token: Token::Bound,
        revocation: Noticed::Heartbeat("introspection"),
        ..OIDC
    },
    Case {
        name: "oidc-device",
        title: "device code",
        profile: Profile::Added(&[
            "--issuer",
            "{origin}",
            "--client-id",
            "desktop",
            "--grant",
            "device_code",
            "--heartbeat",
            "1h",
        ]),
        way: Way::Device,
        token: Token::Bound,
        rotates: false,
        lost: LostAnswer::GoesOn,
        ..OIDC
    },
    Case {
        name: "dot-code",
        title: "code",
        profile: Profile::Written(
            r#"
            url = "{origin}"
            heartbeat = "1h"
            refresh_before = "0s"
            resources = ["/api/protected"]
            [profile.dot-code.oauth]
            issuer = "{origin}/o"
            client_id = "desktop"
            scopes = ["openid", "read"]
            probe = "resource"
            {rejects}"#,
        ),
        revocation: Noticed::Heartbeat("the resource"),
        ..DOT
    },
    Case {
        name: "dot-reuse",
        title: "code, `REUSE=1`",
        env: &[("REUSE", "1")],
        profile: Profile::Written(
            r#"
            url = "{origin}"
            heartbeat = "1h"
            [profile.dot-reuse.oauth]
            issuer = "{origin}/o"
            client_id = "desktop"
            scopes = ["openid", "read", "write"]
            {rejects}"#,
        ),
        ..DOT
    },
    Case {
        name: "dot-grace",
        title: "code, `GRACE=30`",
        env: &[("GRACE", "30")],
        profile: Profile::Written(
            r#"
            url = "{origin}"
            heartbeat = "1h"
            [profile.dot-grace.oauth]
            issuer = "{origin}/o"
            client_id = "desktop"
            scopes = ["openid", "read"]
            probe = "userinfo"
            {rejects}"#,
        ),
        lost: LostAnswer::GoesOn,
        revocation: Noticed::Heartbeat("userinfo"),
        ..DOT
    },
    Case {
        name: "dot-device",
        title: "device code",
        env: &[("DEVICE_INTERVAL", "1")],
        profile: Profile::Written(
            r#"
            url = "{origin}"
            heartbeat = "1h"
            [profile.dot-device.oauth]
            issuer = "{origin}/o"
            client_id = "device"
            scopes = ["read"]
            grant = "device_code"
            {rejects}
            [profile.dot-device.oauth.endpoints]
            device_authorization = "{origin}/o/device-authorization/"
            revocation = "{origin}/o/revoke_token/""#,
        ),
        way: Way::Device,
        ..DOT
    },
    Case {
        name: "dot-password",
        title: "password",
        profile: Profile::Written(
            r#"
            url = "{origin}"
            heartbeat = "1h"
            [profile.dot-password.oauth]
            issuer = "{origin}/o"
            client_id = "ropc"
            scopes = ["read"]
            grant = "password"
            {rejects}
            [profile.dot-password.oauth.endpoints]
            revocation = "{origin}/o/revoke_token/""#,
        ),
        way: Way::Password,
        ..DOT
    },
    Case {
        name: "dot-client",
        title: "client credentials",
        profile: Profile::Written(
            r#"
            url = "{origin}"
            heartbeat = "1h"
            [profile.dot-client.oauth]
            issuer = "{origin}/o"
            client_id = "rs"
            client_auth = "client_secret_basic"
            scopes = ["read"]
            grant = "client_credentials"
            {rejects}
            [profile.dot-client.oauth.endpoints]
            revocation = "{origin}/o/revoke_token/""#,
        ),
        way: Way::Secret,
        rotates: false,
        lost: LostAnswer::GoesOn,
        revocation: Noticed::NeedsNobody,
        ..DOT
    },
];
