pub(super) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Of nobody: the name cannot exist.
pub(super) const FOREIGN_ISSUER: &str = "https://issuer.pilotlight.invalid";
pub(super) const STEPPED_UP: &str = "urn:pilotlight:sandbox:strict";
