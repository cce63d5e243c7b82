//! The desktop's browser, for the faces: they know which desktop their person sits at, and the keeper may not.

use api::{Code, Failure, Problem};

/// Opens a web page, and does not wait for the browser.
///
/// # Errors
///
/// When the address is no web page, or there is no browser to be found.
pub fn open(address: &str) -> Result<(), Failure> {
    let is_page = ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme));
    if !is_page {
        return Err(Failure::new(Code::BadUrl));
    }
    open::that_detached(address)
        .map_err(|error| Failure::new(Code::NoBrowser).because(Problem::said(error.kind())))
}
