//! The questions of `sql/`: each a file that a person can read and run.

/// A question and its statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Its name: the file's, without `.sql`.
    pub name: &'static str,
    /// The file: a header comment with the question, its parameters and columns, and the statement.
    pub sql: &'static str,
}

macro_rules! questions {
    ($($name:literal),* $(,)?) => {
        /// Every question.
        pub const QUESTIONS: &[Question] = &[
            $(Question { name: $name, sql: include_str!(concat!("../../sql/", $name, ".sql")) },)*
        ];
    };
}

questions!(
    "cache_savings",
    "cost_by_business_unit",
    "cost_by_day",
    "cost_by_day_in_new_york",
    "cost_by_environment",
    "cost_by_model",
    "cost_by_product_and_feature",
    "cost_by_service",
    "cost_by_team_and_model",
    "cost_by_tenant",
    "cost_by_user",
    "cost_per_operation",
    "cost_per_thousand_output_tokens",
    "cost_per_trace",
    "data_quality",
    "drift_against_reported",
    "failed_and_aborted",
    "latency_and_tokens_by_model",
    "models_by_feature",
    "month_to_date",
    "reported_vs_computed",
    "revisions",
    "throttled_and_fallbacks",
    "top_customers",
    "top_movers",
    "unattributed_spend",
    "unpriced_by_model",
    "waste",
);

impl Question {
    /// The question of that name.
    pub fn named(name: &str) -> Option<Self> {
        QUESTIONS.iter().find(|question| question.name == name).copied()
    }
}
