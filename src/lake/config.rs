//! Where the lake is, and how durable a commit must be.

use serde::Deserialize;

use crate::setting::{ByteSize, Secret, Span};

/// The `[lake]` part of the configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LakeConfig {
    /// A directory, or `s3://bucket/prefix`; empty: `lake` in the data directory.
    pub url: String,
    /// What a commit survives on a local path. An object store decides for itself.
    pub durability: Durability,
    /// How the object store is reached.
    pub s3: S3Config,
    /// When files are merged, summed up and deleted.
    pub maintenance: MaintenanceConfig,
}

/// What a commit on a local path survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// A power loss: the file, the log entry and their directories are fsynced before the commit
    /// counts.
    #[default]
    Fsync,
    /// A crash of the process, not of the machine: the operating system writes when it likes.
    Os,
}

/// An object store, by the names that AWS tools use. What is not set here is taken from the
/// environment (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
/// `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ALLOW_HTTP`) or from the instance's role.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3Config {
    /// The endpoint of a store other than AWS: `https://minio.internal:9000`.
    pub endpoint_url: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The access key.
    pub access_key_id: Option<String>,
    /// Its secret.
    pub secret_access_key: Option<Secret>,
    /// Whether an endpoint without TLS is accepted.
    pub allow_http: Option<bool>,
    /// Whether the bucket is part of the host name rather than of the path.
    pub virtual_hosted_style_request: Option<bool>,
}

/// When files are merged, summed up and deleted.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaintenanceConfig {
    /// How often it is looked whether something is due.
    pub look_every: Span,
    /// Files below this size are merged.
    pub small_file: ByteSize,
    /// A date's small files are merged as soon as there are so many.
    pub small_files_max: usize,
    /// They are merged at the latest after this time.
    pub merge_every: Span,
    /// The most fresh files that one merge reads, compressed: those that a revision left unsorted
    /// are sorted in memory. Less than twice a large fresh file leaves merged files of the size of
    /// fresh ones.
    pub sort_bytes_max: ByteSize,
    /// The most that one merge reads of files that are sorted already.
    pub merge_bytes_max: ByteSize,
    /// A day is closed so long after its end, and after its last late rows: it is sorted into few
    /// files, and what it holds is counted into `day_closes`.
    pub close_after: Span,
    /// Corrections that came as events are applied at the latest after this time.
    pub correct_every: Span,
    /// A checkpoint is written every so many versions.
    pub checkpoint_every: u64,
    /// Files that no snapshot names are kept this long: the longest query and a day.
    pub keep_files: Span,
    /// How often files and log entries are looked through for what can be deleted.
    pub clean_every: Span,
}

impl Default for MaintenanceConfig {
    fn default() -> Self {
        Self {
            look_every: Span::seconds(5),
            small_file: ByteSize(64 << 20),
            small_files_max: 128,
            merge_every: Span::seconds(5 * 60),
            sort_bytes_max: ByteSize(16 << 20),
            merge_bytes_max: ByteSize(256 << 20),
            close_after: Span::seconds(2 * 3_600),
            correct_every: Span::seconds(30),
            checkpoint_every: 100,
            keep_files: Span::seconds(25 * 3_600),
            clean_every: Span::seconds(3_600),
        }
    }
}
