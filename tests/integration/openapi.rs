//! The OpenAPI document: a validator reads it, and a client tries what it describes.

use std::process::Command;

use crate::parts::{installed, run};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_valid_and_nothing_that_it_describes_breaks_the_server() {
    let Some(part) = installed("openapi") else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start(&dir.path().join("data"), &[]).await;
    let document = server.get("/openapi.json").await.expect("the document");
    let file = dir.path().join("openapi.json");
    std::fs::write(&file, document).expect("written");
    let said = run(Command::new(part.join("bin/openapi-spec-validator")).arg(&file));
    assert!(said.contains("OK"), "{said}");
    let url = format!("{}/openapi.json", server.url);
    // A key, once made, would be asked for from then on.
    let arguments = [
        "run",
        &url,
        "--exclude-path",
        "/v1/keys",
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,\
         response_schema_conformance",
        "--phases",
        "examples,fuzzing",
        "--max-examples",
        "12",
        "--seed",
        "7",
        "--generation-database",
        "none",
        "--suppress-health-check",
        "all",
        "--no-color",
    ];
    let tried = Command::new(part.join("bin/schemathesis"))
        .args(arguments)
        .current_dir(dir.path())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&tried.stdout);
    assert!(tried.status.success(), "{said}\n{}", String::from_utf8_lossy(&tried.stderr));
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.terminate();
}
