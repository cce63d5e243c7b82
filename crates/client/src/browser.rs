//! The desktop's browser. Faces open it, because the keeper may not know the person's desktop.

use api::{Code, Failure, Problem};

/// Does not wait for the browser. Fails when the address is no web page, or no browser is found.
pub fn open(address: &str) -> Result<(), Failure> {
    let is_page = ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme));
    if !is_page {
        return Err(Failure::new(Code::BadUrl));
    }
    open::that_detached(address)
        .map_err(|error| Failure::new(Code::NoBrowser).because(Problem::said(error.kind())))
}
