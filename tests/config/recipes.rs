//! Recipes by hand: alone, or as changes of a preset.

use keeper::config;
use session::recipe::Recipe;
use session::tokens::{AccessToken, RefreshToken};

use crate::{problems, read, recipe, resource};

#[test]
fn a_recipe_changes_what_it_names_in_a_preset() {
    let text = r#"
[profile.a]
preset = "simplejwt"
url = "https://a.example"

[profile.a.recipe]
logout = false
resources = ["/me"]
rejects = [{ status = [401, 403] }]
authorization.scheme = "JWT"

[profile.a.recipe.refresh]
path = "/auth/refresh"
send.refresh_token = { header = "X-Refresh" }
take.lifetime = { at = "/expires", unit = "milliseconds" }
"#;
    let config = read(text);
    assert_eq!(problems(&config), [""; 0]);
    let profile = &config.profiles[0];
    assert_eq!(
        (profile.preset.as_str(), profile.resources.as_slice()),
        ("simplejwt", &[resource("GET", "/me")][..])
    );
    let (recipe, original) = (recipe(profile), Recipe::preset("simplejwt").unwrap());
    assert_eq!((recipe.login.clone(), recipe.logout.clone()), (original.login, None));
    assert_eq!(recipe.refresh.refused, original.refresh.refused);
    assert_eq!(recipe.refresh.take.access_token, original.refresh.take.access_token);
    assert_eq!(recipe.rejects[0].status.0, [401, 403]);
    let message = recipe.refresh(&RefreshToken::new("RT"));
    assert_eq!(
        (message.path.as_str(), message.headers[0].1.expose(), message.body),
        ("/auth/refresh", "RT", None)
    );
    assert_eq!(recipe.authorization(&AccessToken::new("AT")).1.expose(), "JWT AT");
}

/// A place is one thing: what is put into a header is not in the query as well.
#[test]
fn a_place_is_replaced_as_a_whole() {
    let config = read(
        "[profile.a]\npreset = 'nestjs'\nurl = 'https://a.example'\n\
         recipe.refresh.send.refresh_token = { header = 'X-Refresh' }\n",
    );
    assert_eq!(problems(&config), [""; 0]);
    let message = recipe(&config.profiles[0]).refresh(&RefreshToken::new("RT"));
    assert!(message.query.is_empty() && message.headers.len() == 1);
}

#[test]
fn a_recipe_needs_no_preset() {
    let text = r#"
[profile.fab]
url = "https://bi.example"
recipe.login = { path = "/login", send = { username = "/username", password = "/password" }, body = { provider = "db", refresh = true }, take = { access_token = "/access_token", refresh_token = "/refresh_token" } }
recipe.refresh = { path = "/refresh", send.refresh_token = { header = "Authorization", scheme = "Bearer" }, take.access_token = "/access_token" }
"#;
    let config = read(text);
    assert_eq!(problems(&config), [""; 0]);
    assert_eq!(config.profiles[0].preset, config::CUSTOM);
    let message = recipe(&config.profiles[0]).refresh(&RefreshToken::new("RT"));
    assert_eq!(message.headers[0].1.expose(), "Bearer RT");
}

/// Row A12: for opaque tokens without such an endpoint, asking for something is all there is.
#[test]
fn a_resource_serves_as_the_heartbeat_where_there_is_no_endpoint_for_it() {
    let heartbeat = |text: &str| {
        let config = read(&format!("[profile.a]\npreset = 'nestjs'\nurl = 'https://a.example'\n{text}"));
        recipe(config.profile("a").unwrap()).heartbeat.clone().map(|probe| probe.path)
    };
    assert_eq!(heartbeat("").as_deref(), Some("/aaa"));
    assert_eq!(heartbeat("resources = ['POST /notes', '/me']").as_deref(), Some("/me"));
    assert_eq!(heartbeat("recipe.heartbeat = { path = '/ping' }").as_deref(), Some("/ping"));
    assert_eq!(heartbeat("recipe.heartbeat = false"), None);
}
