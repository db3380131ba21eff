//! A process killed at every named point, at its first and at its tenth hit.
//!
//! A census counts how often each point is passed. A process is killed at ten points, one after the
//! other, and everything is checked; then at the tenth hit of each, or, where a process passes the
//! point only some times, at the first hit of the eleventh start or a later one.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::load::Pace;
use crate::meter::Meter;
use crate::parts::kafka::Kafka;
use crate::report;
use crate::world::World;

const PACE: Pace = Pace { events: 10, pause: Duration::from_millis(90) };
const CENSUS: Duration = Duration::from_secs(20);
const REACHED_WITHIN: Duration = Duration::from_secs(90);
/// So many steps a second member stays, and stays away: long enough to start and to be missed.
const CHURN_STEPS: u64 = 14;
/// A point that was passed so often in the census is passed ten times within the time given.
pub const OFTEN: u64 = 8;
/// After so many points a new world begins: what is passed once a process, such as a start, is
/// killed a second time after more than ten starts in that world.
const POINTS_A_WORLD: usize = 10;

/// How often a point was passed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passed {
    pub spool: u64,
    pub kafka: u64,
}

/// Counts how often every point is passed, behind the embedded log and behind Kafka.
pub async fn counted(kafka: Option<&Kafka>) -> Vec<(String, Passed)> {
    let mut passed: BTreeMap<String, Passed> = BTreeMap::new();
    for (point, hits) in census(None).await {
        passed.entry(point).or_default().spool = hits;
    }
    if let Some(kafka) = kafka {
        for (point, hits) in census(Some(kafka)).await {
            passed.entry(point).or_default().kafka = hits;
        }
    }
    passed.into_iter().collect()
}

/// What a run found.
#[derive(Default)]
pub struct Found {
    /// A line for each point.
    pub lines: Vec<String>,
    /// How often a process was killed at a point.
    pub killed: usize,
    /// From the start after some kills until everything was visible.
    pub took: Vec<Duration>,
}

/// Kills at points, at these hits, one after the other and under load, and checks after some.
pub async fn kill_at(points: Vec<(String, Passed)>, kafka: Option<&Kafka>, hits: &[u64]) -> Found {
    let (on_kafka, on_spool): (Vec<_>, Vec<_>) = points.into_iter().partition(|(point, passed)| {
        let members_come_and_go =
            ["assign.", "own.", "revoke."].iter().any(|room| point.starts_with(room));
        members_come_and_go || (passed.spool == 0 && !point.starts_with("sweep."))
    });
    let mut found = Found::default();
    for (points, kafka) in [(on_spool, None), (on_kafka, kafka)] {
        let (once, lasting): (Vec<_>, Vec<_>) =
            points.into_iter().partition(|(point, _)| is_once_a_lake(point));
        for one in once.chunks(1) {
            kill_in(&mut World::new(kafka, true), one, &hits[..1], &mut found).await;
        }
        for some in lasting.chunks(POINTS_A_WORLD) {
            kill_in(&mut World::new(kafka, true), some, hits, &mut found).await;
        }
    }
    found
}

/// Whether a lake passes it once: a table is made, and anomalies of these hours are stored.
fn is_once_a_lake(point: &str) -> bool {
    let stores_anomalies = point.starts_with("commit.") && point.ends_with("/anomalies");
    point.starts_with("create.") || point == "alert.staged" || stores_anomalies
}

/// Kills at the points of one world: at all of them at the first hit, then at the next.
async fn kill_in(world: &mut World, points: &[(String, Passed)], hits: &[u64], found: &mut Found) {
    let mut killed = vec![String::new(); points.len()];
    for hit in hits {
        let traffic = world.send(PACE);
        for ((point, passed), killed) in points.iter().zip(&mut killed) {
            let dies = dies_at(world, point, *passed, *hit).await;
            killed.push_str(if dies { " killed |" } else { " not reached |" });
            found.killed += usize::from(dies);
        }
        let mut meter = world.start(0).await;
        world.settle(traffic).await;
        world.send_fresh().await;
        found.took.push(world.check(&mut meter).await);
    }
    for ((point, passed), killed) in points.iter().zip(killed) {
        let line = format!("| `{point}` | {} | {} |{killed}", passed.spool, passed.kafka);
        eprintln!("{line} {:?}", found.took.last());
        found.lines.push(line);
    }
}

/// Starts a process that is to die at a hit of a point; `false`: it did not.
async fn dies_at(world: &World, point: &str, passed: Passed, hit: u64) -> bool {
    let is_often = passed.spool.max(passed.kafka) >= OFTEN;
    let hit = if is_often { hit } else { 1 };
    if point.starts_with("sweep.") {
        // There is something to sweep after a revision that died.
        let mut before = world.spawn(0, Some("revise.sides_committed:1"));
        driven(world, &mut before, "revise.sides_committed").await;
    }
    let mut meter = world.spawn(0, Some(&format!("{point}:{hit}")));
    driven(world, &mut meter, point).await
}

/// Does to a process what makes it pass its points; `true` when it died.
async fn driven(world: &World, meter: &mut Meter, point: &str) -> bool {
    if !meter.ready().await {
        return true;
    }
    world.direct_to(meter);
    let (began, mut other) = (Instant::now(), None);
    let churns =
        ["kafka.", "revoke.", "assign.", "own."].iter().any(|room| point.starts_with(room));
    let prices = point.starts_with("book.") || point.ends_with("/prices");
    for step in 0.. {
        if prices {
            world.change_book(step);
        }
        age_logs(&world.dir.path().join("lake"));
        if churns && step % CHURN_STEPS == 0 {
            // A member that comes, and one that is gone: two rebalances.
            other = if other.is_none() { Some(world.spawn(1, None)) } else { None };
        }
        if point.starts_with("stop.") && step == 1 {
            meter.signal("TERM");
            return meter.dies_within(REACHED_WITHIN).await;
        }
        if meter.dies_within(Duration::from_millis(300)).await {
            return true;
        }
        if began.elapsed() > REACHED_WITHIN {
            return false;
        }
    }
    false
}

/// How often one process passes each point, from its start to its end by SIGTERM.
async fn census(kafka: Option<&Kafka>) -> BTreeMap<String, u64> {
    let mut world = World::new(kafka, true);
    let file = world.dir.path().join("passed");
    let traffic = world.send(PACE);
    let mut meter = world.spawn(0, Some(&format!("count:{}", file.display())));
    assert!(meter.ready().await, "it died: {}", meter.tail());
    world.direct_to(&meter);
    let (began, mut step, mut other) = (Instant::now(), 0, None);
    while began.elapsed() < CENSUS {
        world.change_book(step / 4);
        age_logs(&world.dir.path().join("lake"));
        if kafka.is_some() && step % CHURN_STEPS == 4 {
            other = if other.is_none() { Some(world.spawn(1, None)) } else { None };
        }
        step += 1;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    drop(other);
    world.settle(traffic).await;
    world.check(&mut meter).await;
    meter.terminate().await;
    let mut passed = BTreeMap::new();
    for point in std::fs::read_to_string(file).expect("a census").lines() {
        *passed.entry(point.to_owned()).or_default() += 1;
    }
    passed
}

/// Makes log entries look three days old once they are some seconds old, so that they are cleaned
/// away.
fn age_logs(lake: &Path) {
    let now = SystemTime::now();
    for table in std::fs::read_dir(lake).into_iter().flatten().flatten() {
        let log = std::fs::read_dir(table.path().join("_delta_log"));
        for entry in log.into_iter().flatten().flatten() {
            let modified = entry.metadata().and_then(|meta| meta.modified());
            let age = modified.ok().and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
            if (Duration::from_secs(3)..Duration::from_secs(3_600)).contains(&age)
                && let Ok(file) = std::fs::File::options().write(true).open(entry.path())
            {
                drop(file.set_modified(now - Duration::from_secs(3 * 86_400)));
            }
        }
    }
}

/// What the document says of the trials.
pub fn report(found: &Found) {
    let head = "| point | passed (spool) | passed (Kafka) | first hit | tenth hit |\n\
                |---|---|---|---|---|";
    let Found { lines, killed, took } = found;
    let text = format!(
        "{} points, {killed} processes killed at them, {} checks: 0 lost, 0 twice. From ready to \
         everything visible: {}.\n\n{head}\n{}",
        lines.len(),
        took.len(),
        report::spread(took),
        lines.join("\n")
    );
    report::section("points", &text);
}
