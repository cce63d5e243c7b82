use axum::http::StatusCode;

use crate::reply::Reply;

pub(super) fn not_found_page() -> Reply {
    let page = "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n  \
                <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n";
    Reply::html(StatusCode::NOT_FOUND, page)
}

pub(super) fn too_many_page() -> Reply {
    let page = "<!doctype html>\n<title>429 Too Many Requests</title>\n<h1>Too Many Requests</h1>\n";
    Reply::html(StatusCode::TOO_MANY_REQUESTS, page)
}
