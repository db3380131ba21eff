//! The column dictionary: every table's columns with type, unit and meaning, as Markdown.

use std::fmt::Write;

use super::column::ColumnInfo;
use super::tables::{DATE, TableName, TableSpec};

const HEAD: &str = "# Columns\n\n\
    Every table is a Delta table below the lake's root; any engine opens it by its path. Columns\n\
    are added, never renamed or retyped: an added one is NULL in older rows. This page is\n\
    generated from the schema (`UPDATE_DOCS=1 cargo test --lib lake`).\n";

/// The page `docs/columns.md`.
pub fn dictionary() -> String {
    let mut page = HEAD.to_owned();
    for name in TableName::ALL {
        // Writing to a text cannot fail.
        let _ = table(&mut page, &name.spec());
    }
    page
}

fn table(page: &mut String, spec: &TableSpec) -> std::fmt::Result {
    writeln!(page, "\n## {}\n\n{}\n", spec.name.name(), spec.name.meaning())?;
    writeln!(page, "| column | type | NULL | unit | meaning | from |\n|---|---|---|---|---|---|")?;
    spec.columns.iter().try_for_each(|column| row(page, column))?;
    if spec.dated {
        writeln!(page, "| `{DATE}` | date | | | The partition: {}. | |", spec.name.partition())?;
    }
    Ok(())
}

fn row(page: &mut String, column: &ColumnInfo) -> std::fmt::Result {
    let (name, kind, unit) = (column.name, column.kind.name(), column.unit);
    let null = if column.required { "" } else { "yes" };
    let from = source(column.expression);
    writeln!(page, "| `{name}` | {kind} | {null} | {unit} | {} | {from} |", column.meaning)
}

/// Where a value comes from, by the expression that fills it.
fn source(expression: &str) -> String {
    if let Some((_, field)) = expression.split_once("row.charge.event.") {
        let end = field.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        return format!("event `{}`", field.split_at(end.unwrap_or(field.len())).0);
    }
    const SOURCES: [(&str, &str); 9] = [
        ("row.charge.attribution", "attribution"),
        ("row.charge.cost", "price book"),
        ("row.charge.usage", "`usage`, normalized"),
        ("row.class(", "`usage`, normalized"),
        ("row.tokens", "`usage`, normalized"),
        ("row.other_tokens", "`usage`, normalized"),
        ("row.units", "`usage`, normalized"),
        ("row.reported", "`usage` or event `reported_cost`"),
        ("row.lineage", "source position"),
    ];
    let known = SOURCES.iter().find(|(part, _)| expression.contains(part));
    known.map(|(_, source)| (*source).to_owned()).unwrap_or_default()
}
