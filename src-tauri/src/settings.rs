//! The plugin writes in place, takes a file that it cannot read for an empty one, and overwrites it. So a copy is
//! written first, whole or not at all, and the file is mended from it before the plugin opens it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use api::{Failure, Problem};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use tauri::{AppHandle, Runtime};
use tauri_plugin_store::{StoreExt as _, resolve_store_path};

use crate::trouble::internal;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) theme: Theme,
    pub(crate) language: Choice,
    /// What `system` means here. It is not stored.
    #[serde(default)]
    pub(crate) system_language: Language,
    #[serde(default)]
    pub(crate) zoom: Zoom,
    pub(crate) profile: Option<String>,
    pub(crate) tab: Option<String>,
}

/// In percent, within what can be read whatever the page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub(crate) struct Zoom(u16);

impl Zoom {
    const LEAST: u16 = 50;
    const MOST: u16 = 300;

    pub(crate) fn factor(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl Default for Zoom {
    fn default() -> Self {
        Self(100)
    }
}

impl From<u16> for Zoom {
    fn from(percent: u16) -> Self {
        Self(percent.clamp(Self::LEAST, Self::MOST))
    }
}

impl From<Zoom> for u16 {
    fn from(zoom: Zoom) -> Self {
        zoom.0
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Choice {
    #[default]
    #[serde(rename = "system")]
    System,
    #[serde(rename = "en")]
    English,
    #[serde(rename = "zh-CN")]
    Chinese,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "zh-CN")]
    Chinese,
}

impl Language {
    fn of_system() -> Self {
        match api::words::Language::of_locale() {
            api::words::Language::Chinese => Self::Chinese,
            api::words::Language::English => Self::English,
        }
    }
}

pub(crate) fn read<R: Runtime>(app: &AppHandle<R>) -> Result<Settings, Failure> {
    let store = app.store_builder(FILE).disable_auto_save().build().map_err(|error| failed(&error))?;
    Ok(Settings {
        theme: understood(store.get("theme")),
        language: understood(store.get("language")),
        system_language: Language::of_system(),
        zoom: understood(store.get("zoom")),
        profile: understood(store.get("profile")),
        tab: understood(store.get("tab")),
    })
}

pub(crate) fn write<R: Runtime>(app: &AppHandle<R>, settings: Settings) -> Result<(), Failure> {
    let store = app.store_builder(FILE).disable_auto_save().build().map_err(|error| failed(&error))?;
    let path = resolve_store_path(app, FILE).map_err(|error| failed(&error))?;
    let values = stored(settings)?;
    make_private_dir(&path)
        .and_then(|()| write_whole(&copy_of(&path), &serde_json::to_vec_pretty(&values)?))
        .map_err(|error| failed(&error))?;
    for (key, value) in values {
        store.set(key, value);
    }
    store.save().map_err(|error| failed(&error))?;
    fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(|error| failed(&error))
}

pub(crate) fn prepare<R: Runtime>(app: &AppHandle<R>) {
    let mended = resolve_store_path(app, FILE).map_err(io::Error::other).and_then(|path| mend(&path));
    if let Err(error) = mended {
        eprintln!("pilotlight: the window's settings: {error}");
    }
}

fn mend(path: &Path) -> io::Result<()> {
    match fs::read(path) {
        Ok(bytes) if is_whole(&bytes) => return Ok(()),
        Ok(_) => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs());
            fs::rename(path, beside(path, &format!("corrupt-{now}")))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match fs::read(copy_of(path)) {
        Ok(bytes) if is_whole(&bytes) => write_whole(path, &bytes),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn stored(settings: Settings) -> Result<Map<String, Value>, Failure> {
    let Settings { theme, language, system_language: _, zoom, profile, tab } = settings;
    if [&profile, &tab].into_iter().flatten().any(|name| name.len() > LONGEST_NAME) {
        return Err(internal(Problem::NameTooLong));
    }
    let values = [
        ("version", json!(1)),
        ("theme", json!(theme)),
        ("language", json!(language)),
        ("zoom", json!(zoom)),
        ("profile", json!(profile)),
        ("tab", json!(tab)),
    ];
    Ok(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What this version does not understand counts as not set.
fn understood<T: DeserializeOwned + Default>(value: Option<Value>) -> T {
    value.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
}

fn is_whole(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(bytes).is_ok()
}

fn copy_of(path: &Path) -> PathBuf {
    beside(path, "bak")
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

fn make_private_dir(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| DirBuilder::new().recursive(true).mode(0o700).create(dir))
}

/// The old content stays until the new one is on the disk.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = beside(path, "new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    internal(Problem::SettingsFailed { said: error.to_string() })
}

const FILE: &str = "settings.json";

const LONGEST_NAME: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    /// Row C8.
    #[test]
    fn a_torn_file_is_kept_aside_and_replaced_by_the_copy() {
        let path = scratch("torn").join(FILE);
        fs::write(&path, b"{\"theme\": \"da").unwrap();
        write_whole(&copy_of(&path), br#"{"theme":"dark"}"#).unwrap();
        mend(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), br#"{"theme":"dark"}"#);
        let kept = fs::read_dir(path.parent().unwrap()).unwrap();
        assert!(
            kept.flatten()
                .any(|entry| entry.file_name().to_string_lossy().starts_with("settings.json.corrupt-"))
        );
    }

    #[test]
    fn a_file_emptied_by_a_full_disk_without_a_copy_means_the_defaults() {
        let path = scratch("empty").join(FILE);
        fs::write(&path, b"").unwrap();
        mend(&path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_whole_file_is_left_alone_though_the_copy_is_newer() {
        let path = scratch("whole").join(FILE);
        fs::write(&path, b"{}").unwrap();
        fs::write(copy_of(&path), br#"{"theme":"dark"}"#).unwrap();
        mend(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"{}");
    }

    #[test]
    fn the_copy_is_for_this_user_alone() {
        let path = scratch("private").join(FILE);
        write_whole(&path, b"{}").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!beside(&path, "new").exists());
    }

    #[test]
    fn what_is_not_understood_counts_as_not_set() {
        assert_eq!(understood::<Theme>(Some("purple".into())), Theme::System);
        assert_eq!(understood::<Theme>(Some("dark".into())), Theme::Dark);
        assert_eq!(understood::<Choice>(Some("zh-CN".into())), Choice::Chinese);
        assert_eq!(understood::<Option<String>>(Some(7.into())), None);
    }

    #[test]
    fn nothing_is_drawn_so_small_or_large_that_nobody_could_undo_it() {
        for (asked, given) in [(0, 0.5), (50, 0.5), (110, 1.1), (u16::MAX, 3.0)] {
            let zoom: Zoom = serde_json::from_value(asked.into()).unwrap();
            assert!((zoom.factor() - given).abs() < 0.001, "{asked}");
        }
        assert_eq!(understood::<Zoom>(Some("large".into())), Zoom(100));
    }

    #[test]
    fn a_page_cannot_fill_the_disk_through_the_settings() {
        let settings = Settings { tab: Some("x".repeat(LONGEST_NAME + 1)), ..Settings::default() };
        assert!(stored(settings).is_err());
    }

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("pilotlight-settings-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir_all(&dir).unwrap();
        dir
    }
}
