//! The column dictionary: every table's columns with type, unit and meaning, as Markdown.

use std::fmt::Write;

use super::column::ColumnInfo;
use super::tables::{DATE, TableName, TableSpec};

const HEAD: &str = "# Columns\n\n\
    Every table is a Delta table below the lake's root; any engine opens it by its path. Columns are\n\
    added, never renamed or retyped: an added one is NULL in older rows. This page is generated from\n\
    the schema (`UPDATE_DOCS=1 cargo test --lib lake`).\n";

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
    writeln!(page, "| column | type | NULL | unit | meaning |\n|---|---|---|---|---|")?;
    spec.columns.iter().try_for_each(|column| row(page, column))?;
    if spec.dated {
        writeln!(page, "| `{DATE}` | date | | | The partition: {}. |", spec.name.partition())?;
    }
    Ok(())
}

fn row(page: &mut String, column: &ColumnInfo) -> std::fmt::Result {
    let (name, kind, unit) = (column.name, column.kind.name(), column.unit);
    let null = if column.required { "" } else { "yes" };
    writeln!(page, "| `{name}` | {kind} | {null} | {unit} | {} |", column.meaning)
}
