use std::time::Duration;

use api::Grant;
use api::duration::{self, NoDuration};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keeps you signed in: sessions that refresh themselves in the background
#[derive(Debug, Parser)]
#[command(name = "pilotlight", version, propagate_version = false, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Prints data, and what goes wrong, as JSON on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Adds a session
    Add(Add),
    /// Tries everything out against a sandbox that fails on purpose, for a minute
    Demo(Demo),
    /// Sends a request to a session's API with its access token, and prints the answer's body
    Fetch(Fetch),
    /// Runs the keeper in this terminal
    #[command(disable_help_flag = true)]
    Keeper(Rest),
    /// Tells what happened, and why
    Log(Log),
    /// Signs in: in the browser, with a code on another device, or with a password from the terminal or standard input
    Login(Login),
    /// Forgets the sign-in here, and tells the provider
    Logout(Logout),
    /// Refreshes the access token now
    Refresh { name: String },
    /// Signs out and takes the session out of the configuration
    Remove { name: String },
    /// Runs an authorization server and API to try clients against
    #[command(disable_help_flag = true)]
    Sandbox(Rest),
    /// Tells the state of every session
    Status {
        name: Option<String>,
        /// Goes on telling what changes
        #[arg(short, long)]
        watch: bool,
    },
    /// Ends the keeper, once what is in flight is finished and everything is saved
    Stop {
        /// Ends it all the same, whatever is not saved
        #[arg(long)]
        force: bool,
    },
    /// Prints an access token that is good, and nothing else
    Token(Token),
    /// Opens the stored sign-ins: in the keyring's dialog, or with a passphrase from the terminal or standard input
    Unlock,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How long it goes on
    #[arg(long, default_value = "60s", value_parser = duration::parse)]
    pub(crate) duration: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    pub(crate) name: String,
    /// The kind of provider: `flask`, `heartbeat`, `nestjs`, `simplejwt`…
    #[arg(long, required_unless_present_any = ["issuer", "endpoints"], conflicts_with_all = OF_OAUTH)]
    pub(crate) preset: Option<String>,
    /// What the provider's paths are appended to; with OAuth, the base of the API
    #[arg(long, required_unless_present_any = ["issuer", "endpoints"])]
    pub(crate) url: Option<String>,
    /// An OAuth 2.0 or OpenID Connect provider, by its issuer
    #[arg(long, value_name = "URL", requires = "client_id", help_heading = OAUTH)]
    pub(crate) issuer: Option<String>,
    /// The app as it is registered with the provider
    #[arg(long, value_name = "ID", help_heading = OAUTH)]
    pub(crate) client_id: Option<String>,
    /// What to ask for; separated by spaces, or given several times. What suits of `openid offline_access` by default
    #[arg(long = "scope", value_name = "SCOPES", requires = "client_id", help_heading = OAUTH)]
    pub(crate) scopes: Vec<String>,
    /// Whom the tokens are for, where the provider has a parameter of that name
    #[arg(long, requires = "client_id", help_heading = OAUTH)]
    pub(crate) audience: Option<String>,
    /// How to come by tokens; authorization_code by default
    #[arg(long, requires = "client_id", help_heading = OAUTH)]
    pub(crate) grant: Option<GrantName>,
    /// Whether tokens are bound to a key (RFC 9449); auto by default: where the provider offers it
    #[arg(long, requires = "client_id", help_heading = OAUTH)]
    pub(crate) dpop: Option<Switch>,
    /// A fixed port for the browser to come back to, for providers that compare it
    #[arg(long, value_name = "PORT", requires = "client_id", help_heading = OAUTH)]
    pub(crate) redirect_port: Option<u16>,
    /// 127.0.0.1 by default; `localhost` for providers that want it
    #[arg(long, value_name = "HOST", requires = "client_id", help_heading = OAUTH)]
    pub(crate) redirect_host: Option<String>,
    /// /callback by default
    #[arg(long, value_name = "PATH", requires = "client_id", help_heading = OAUTH)]
    pub(crate) redirect_path: Option<String>,
    /// An endpoint by hand, such as token=URL; may be given several times. With `token` nothing is discovered
    #[arg(long = "endpoint", value_name = "NAME=URL", requires = "client_id", help_heading = OAUTH)]
    pub(crate) endpoints: Vec<String>,
    /// A parameter beyond the standard ones, such as authorize.access_type=offline; may be given several times
    #[arg(long, value_name = "PLACE.NAME=VALUE", requires = "client_id", help_heading = OAUTH)]
    pub(crate) extra: Vec<String>,
    /// A path of the API that the window offers; with OAuth, a URI says whom the tokens are for (RFC 8707). May be
    /// given several times
    #[arg(long = "resource", value_name = "PATH|URI")]
    pub(crate) resources: Vec<String>,
    /// Allows plain http to a host that is not this machine
    #[arg(long)]
    pub(crate) allow_http: bool,
    /// More certificates to trust, in a PEM file
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<std::path::PathBuf>,
    /// The provider is a sandbox, with fault switches
    #[arg(long)]
    pub(crate) sandbox: bool,
    /// How often to ask the provider whether the token is still good
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) heartbeat: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct Fetch {
    pub(crate) name: String,
    /// Below the session's address
    pub(crate) path: String,
    /// GET, or POST with a body
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) request: Option<String>,
    /// The body: text, @FILE, or @- for standard input
    #[arg(short, long, value_name = "BODY")]
    pub(crate) data: Option<String>,
    /// A header, `Name: value`; may be given several times
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// Prints the status and the headers before the body
    #[arg(short, long)]
    pub(crate) include: bool,
    /// How long to wait, 30s by default
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct Log {
    pub(crate) name: Option<String>,
    /// Goes on with what happens from now on
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// How many lines at most, 100 by default
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Login {
    pub(crate) name: String,
    /// Who signs in, where a password is typed; asked for when absent
    #[arg(short, long)]
    pub(crate) user: Option<String>,
    /// Shows a code to be entered in a browser on any device
    #[arg(long)]
    pub(crate) device: bool,
    /// Only says which address to open
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// The browser is on another machine: the address at which it ends is pasted here
    #[arg(long, conflicts_with = "device")]
    pub(crate) paste: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Logout {
    pub(crate) name: String,
    /// Opens the provider's page to end its session in the browser as well
    #[arg(long)]
    pub(crate) browser: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum GrantName {
    AuthorizationCode,
    ClientCredentials,
    DeviceCode,
    Password,
}

impl From<GrantName> for Grant {
    fn from(name: GrantName) -> Self {
        match name {
            GrantName::AuthorizationCode => Self::AuthorizationCode,
            GrantName::ClientCredentials => Self::ClientCredentials,
            GrantName::DeviceCode => Self::DeviceCode,
            GrantName::Password => Self::Password,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Switch {
    Auto,
    Off,
    On,
}

impl From<Switch> for Option<bool> {
    fn from(switch: Switch) -> Self {
        match switch {
            Switch::Auto => None,
            Switch::Off => Some(false),
            Switch::On => Some(true),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Token {
    pub(crate) name: String,
    /// How long the token must still be good
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) min_valid: Option<Duration>,
    /// Prints a good token with less life left rather than none
    #[arg(long)]
    pub(crate) best_effort: bool,
    /// How long to wait, 30s by default
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
}

/// What the other program understands, and this one need not.
#[derive(Debug, Args)]
pub(crate) struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    pub(crate) arguments: Vec<std::ffi::OsString>,
}

/// As everywhere; and a number alone is seconds, as in scripts.
fn time(text: &str) -> Result<Duration, NoDuration> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => duration::parse(text),
    }
}

const OF_OAUTH: [&str; 11] = [
    "issuer",
    "client_id",
    "scopes",
    "audience",
    "grant",
    "dpop",
    "redirect_port",
    "redirect_host",
    "redirect_path",
    "endpoints",
    "extra",
];

const OAUTH: &str = "OAuth 2.0 and OpenID Connect";

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 usage, 3 sign-in needed, 4 offline or provider \
                          unavailable, 5 keyring unavailable";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_have_units() {
        for (text, millis) in
            [("0", 0), ("90", 90_000), ("60s", 60_000), ("5m", 300_000), ("2h", 7_200_000), ("500ms", 500)]
        {
            assert_eq!(time(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-5s", "5 m", "1.5h", "5x", "99999999999999999999s"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_passed_on_is_not_looked_at() {
        let parsed = Arguments::parse_from(["pilotlight", "sandbox", "--port", "0", "--help", "x"]);
        let Command::Sandbox(rest) = parsed.command else { panic!("{parsed:?}") };
        assert_eq!(rest.arguments, ["--port", "0", "--help", "x"]);
    }
}
