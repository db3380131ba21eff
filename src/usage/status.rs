//! How much is known about what a call used.

/// How much is known about what a call used: metering's first status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UsageStatus {
    /// Everything that is billed.
    Complete,
    /// A lower bound: the call was aborted.
    Partial,
    /// Totals without their detail.
    TotalsOnly,
    /// A guess of the sender.
    Estimated,
    /// Nothing: usage was missing, null or empty.
    UnknownUsage,
    /// Impossible counts; such an event is rejected.
    InvalidUsage,
}

impl UsageStatus {
    /// The name in tables and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::TotalsOnly => "totals_only",
            Self::Estimated => "estimated",
            Self::UnknownUsage => "unknown_usage",
            Self::InvalidUsage => "invalid_usage",
        }
    }
}
