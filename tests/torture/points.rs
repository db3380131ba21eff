//! A process killed at every named point, at its first and at its tenth hit.
//!
//! A census counts how often each point is passed. A point that one process passes often is armed
//! with the hit; one that it passes once, such as those of the start, is armed at its first hit
//! after nine starts.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::load::Pace;
use crate::meter::Meter;
use crate::parts::kafka::Kafka;
use crate::report;
use crate::world::World;

const PACE: Pace = Pace { events: 10, pause: Duration::from_millis(90) };
const CENSUS: Duration = Duration::from_secs(15);
const REACHED_WITHIN: Duration = Duration::from_secs(30);
/// A point that was passed so often in the census is passed ten times within the time given.
pub const OFTEN: u64 = 5;
/// After so many points a new world begins: checks read all of it.
const POINTS_A_WORLD: usize = 8;

/// How often a point was passed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passed {
    pub spool: u64,
    pub kafka: u64,
}

/// What became of a trial.
enum Trial {
    /// Killed there; all that was acknowledged was in the tables so long after the next start.
    Survived(Duration),
    NotReached,
}

impl std::fmt::Display for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Survived(took) => write!(f, "{:.1} s", took.as_secs_f64()),
            Self::NotReached => write!(f, "not reached"),
        }
    }
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

/// Kills at points, at these hits; a line for each.
pub async fn kill_at(
    points: Vec<(String, Passed)>,
    kafka: Option<&Kafka>,
    hits: &[u64],
) -> Vec<String> {
    let (on_kafka, on_spool): (Vec<_>, Vec<_>) = points.into_iter().partition(|(point, passed)| {
        passed.spool == 0 || point.starts_with("assign.") || point.starts_with("revoke.")
    });
    let mut lines = Vec::new();
    for (points, kafka) in [(on_spool, None), (on_kafka, kafka)] {
        for some in points.chunks(POINTS_A_WORLD) {
            let mut world = World::new(kafka, true);
            for (point, passed) in some {
                // A table is made once in a lake.
                let is_once = point.starts_with("create.");
                if is_once {
                    world = World::new(kafka, true);
                }
                let hits = if is_once { &hits[..1] } else { hits };
                lines.push(tried(&mut world, point, *passed, hits).await);
                eprintln!("{}", lines.last().expect("a line"));
            }
        }
    }
    lines
}

/// The line of a point.
async fn tried(world: &mut World, point: &str, passed: Passed, hits: &[u64]) -> String {
    let count = passed.spool.max(passed.kafka);
    let mut line = format!("| `{point}` | {} | {} |", passed.spool, passed.kafka);
    for hit in hits {
        let is_often = count >= OFTEN && !point.starts_with("stop.");
        let (starts, hit) = if *hit == 1 || is_often { (0, *hit) } else { (*hit - 1, 1) };
        let trial = trial(world, point, starts, hit).await;
        line.push_str(&format!(" {trial} |"));
    }
    line
}

/// Starts so many times, then dies at a hit, starts again and checks.
async fn trial(world: &mut World, point: &str, starts: u64, hit: u64) -> Trial {
    for _ in 0..starts {
        let mut meter = world.start(0).await;
        if point.starts_with("stop.") { meter.terminate().await } else { meter.kill() }
    }
    let traffic = world.send(PACE);
    let mut meter = world.spawn(0, Some(&format!("{point}:{hit}")));
    let is_dead = driven(world, &mut meter, point).await;
    if !is_dead {
        meter.kill();
    }
    drop(meter);
    let mut meter = world.start(0).await;
    world.settle(traffic).await;
    world.send_fresh().await;
    let took = world.check(&mut meter).await;
    meter.kill();
    if is_dead { Trial::Survived(took) } else { Trial::NotReached }
}

/// Does to a process what makes it pass its points; `true` when it died.
async fn driven(world: &World, meter: &mut Meter, point: &str) -> bool {
    if !meter.ready().await {
        return true;
    }
    world.direct_to(meter);
    let (began, mut other) = (Instant::now(), None);
    let churns = ["kafka.", "revoke.", "assign."].iter().any(|room| point.starts_with(room));
    let prices = point.starts_with("book.") || point.ends_with("/prices");
    for step in 0.. {
        if prices {
            world.change_book(step);
        }
        age_logs(&world.dir.path().join("lake"));
        if churns && step % 4 == 0 {
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
        if kafka.is_some() && step % 8 == 4 {
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
pub fn report(lines: &[String]) {
    let head = "| point | passed (spool) | passed (Kafka) | first hit | tenth hit |\n\
                |---|---|---|---|---|";
    let missed = lines.iter().filter(|line| line.contains("not reached")).count();
    let summary = format!(
        "{} points; {} trials survived, {missed} points with a hit that was not reached.",
        lines.len(),
        lines.iter().map(|line| line.matches(" s |").count()).sum::<usize>(),
    );
    report::section("points", &format!("{summary}\n\n{head}\n{}", lines.join("\n")));
}
