//! Day close: what a day held, counted anew and written down.

use super::*;
use crate::setting::Span;

/// Half a day and the two hours after it: the events' day is over.
const DAY_IS_OVER: i64 = 14 * 3_600;

async fn close(lake: &Lake) -> Option<DayCloseRow> {
    let maintenance = Maintenance::new(MaintenanceConfig::default());
    maintenance.close_day(lake).await.expect("a close")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_closed_once_and_again_after_late_rows() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    for step in 0..4 {
        append(lake.table(TableName::Calls), step * 5..(step + 1) * 5).await;
    }
    assert_eq!(close(&lake).await, None, "the day is not over");
    let later = now().plus_seconds(DAY_IS_OVER);
    let lake = open_at(&dir, later).await;
    let closed = close(&lake).await.expect("the day is over");
    let expected = DayCloseRow {
        day: now().days(),
        closed_at: Some(later),
        calls_version: 5,
        files: 1,
        rows: 20,
        duplicates: 0,
        cost: Usd::from_pico(20 * 7_000),
        unknown_costs: 0,
    };
    assert_eq!(closed, expected);
    assert_eq!(event_ids(lake.table(TableName::Calls)).await, expected_ids(0..20));
    assert_eq!(close(&lake).await, None, "nothing has changed since");

    let late = later.plus_seconds(60);
    append(open_at(&dir, late).await.table(TableName::Calls), 20..23).await;
    let lake = open_at(&dir, late.plus_seconds(3_600)).await;
    assert_eq!(close(&lake).await, None, "more may come");
    let quiet = late.plus_seconds(2 * 3_600);
    let lake = open_at(&dir, quiet).await;
    let closed = close(&lake).await.expect("no more have come");
    assert_eq!((closed.rows, closed.files, closed.closed_at), (23, 1, Some(quiet)));
    assert_eq!(close(&lake).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_is_there_twice_is_counted() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    append(calls, 0..6).await;
    let staged = calls.write(batches(4..9)).await.expect("files are written");
    let commit = Commit::append(staged, vec![("another".to_owned(), 9)]);
    calls.commit(&calls.snapshot().expect("open"), &commit).await.expect("a commit");
    let lake = open_at(&dir, now().plus_seconds(DAY_IS_OVER)).await;
    let closed = close(&lake).await.expect("the day is over");
    assert_eq!((closed.rows, closed.duplicates), (11, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_late_files_do_not_wait_for_quiet() {
    let dir = TempDir::new().expect("a directory");
    append(open(&dir).await.table(TableName::Calls), 0..2).await;
    let over = now().plus_seconds(DAY_IS_OVER);
    close(&open_at(&dir, over).await).await.expect("the day is over");
    let lake = open_at(&dir, over.plus_seconds(1)).await;
    for number in 1..=32 {
        assert_eq!(close(&lake).await, None, "after {} late files", number - 1);
        append(lake.table(TableName::Calls), number * 2..(number + 1) * 2).await;
    }
    let closed = close(&lake).await.expect("there are many");
    assert_eq!((closed.rows, closed.files), (66, 1));
    let hurried =
        MaintenanceConfig { close_after: Span::millis(0), ..MaintenanceConfig::default() };
    let again = Maintenance::new(hurried).close_day(&lake).await.expect("a look");
    assert_eq!(again, None, "its own merge is no late file");
}
