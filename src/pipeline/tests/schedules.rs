//! Seeded schedules: several members on one lake whose store fails, is slow, stale and full, while
//! members are killed, partitions change hands and files are merged. At the end every event is in
//! exactly one place.
//!
//! `TOKENMETER_SCHEDULES=2000 cargo test --lib schedules -- --nocapture` runs the seeds below that
//! number, `TOKENMETER_SCHEDULE=1234` one seed.

mod clock;
mod cluster;
mod events;
mod faults;
mod history;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::{Int32Type, Int64Type};
use futures::StreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::clock::JumpingClock;
use self::cluster::{Cluster, Member};
use self::faults::Faults;
use crate::attribution::Rules;
use crate::lake::{Lake, LakeError, Maintenance, MaintenanceConfig, TableName};
use crate::pipeline::{Books, Parts, Pipeline, PipelineConfig, PipelineMetrics, Watermarks};
use crate::setting::{ByteSize, Span};
use crate::source::{AvroDecoders, RegistryConfig};
use crate::time::{Clock, SystemClock};

/// Seeds that every test run goes through.
const SLICE: u64 = 24;
/// Schedules that run side by side.
const AT_ONCE: usize = 6;
const MEMBERS: usize = 3;
const STEPS: usize = 12;
const END_WITHIN: Duration = Duration::from_secs(120);

/// What all members of one schedule share.
#[derive(Clone)]
struct World {
    cluster: Arc<Cluster>,
    store: Arc<dyn ObjectStore>,
    faults: Arc<Faults>,
}

/// A member that runs.
struct Running {
    task: JoinHandle<()>,
    stop: CancellationToken,
    /// Drops it where it stands; what it has asked of the store goes on.
    kill: CancellationToken,
}

/// Runs a future on a thread of its own: it need not be `Send`.
fn alone<F: Future>(make: impl FnOnce() -> F + Send + 'static) -> JoinHandle<F::Output>
where
    F::Output: Send + 'static,
{
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(make()))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_each_event_ends_in_one_place() {
    let seeds = seeds();
    let count = seeds.end - seeds.start;
    let runs = futures::stream::iter(seeds).map(|seed| alone(move || schedule(seed)));
    let mut runs = runs.buffer_unordered(AT_ONCE);
    let (mut fired, mut failed, mut run_count) = (BTreeMap::new(), Vec::new(), 0);
    while let Some(run) = runs.next().await {
        match run.expect("no panic in the schedule") {
            Ok(faults) => {
                faults.into_iter().for_each(|(fault, n)| *fired.entry(fault).or_insert(0) += n);
            }
            Err(why) => {
                eprintln!("{why}");
                failed.push(why);
            }
        }
        run_count += 1;
        if run_count % SLICE == 0 {
            eprintln!("{run_count} of {count}, {} failed, fired: {fired:?}", failed.len());
        }
    }
    eprintln!("{count} schedules, faults fired: {fired:?}");
    assert!(failed.is_empty(), "{} of {count} failed:\n{}", failed.len(), failed.join("\n"));
    assert!(count < SLICE || fired.len() == faults::KINDS, "a kind never fired: {fired:?}");
}

/// Those of `TOKENMETER_SCHEDULE=17`, `TOKENMETER_SCHEDULES=2000` or
/// `TOKENMETER_SCHEDULES=500..1000`.
fn seeds() -> std::ops::Range<u64> {
    let number = |text: &str| text.parse::<u64>().expect("a number");
    if let Ok(seed) = std::env::var("TOKENMETER_SCHEDULE") {
        return number(&seed)..number(&seed) + 1;
    }
    match std::env::var("TOKENMETER_SCHEDULES") {
        Err(_) => 0..SLICE,
        Ok(told) => match told.split_once("..") {
            Some((first, end)) => number(first)..number(end),
            None => 0..number(&told),
        },
    }
}

/// Runs one schedule; how many faults of each kind it met.
async fn schedule(seed: u64) -> Result<BTreeMap<String, u64>, String> {
    let mut random = StdRng::seed_from_u64(seed);
    let now = SystemClock.now();
    let world = World {
        cluster: Arc::new(Cluster::new(events::partitions(&mut random, now), now)),
        store: Arc::new(InMemory::new()),
        faults: Arc::new(Faults::default()),
    };
    open(world.clone(), seed).await.map_err(|error| format!("seed {seed}: {error}"))?;
    world.faults.begin();
    let mut members: Vec<Running> =
        (0..MEMBERS).map(|number| start(&world, number, random.random())).collect();
    world.cluster.assign(|| random.random_range(0..MEMBERS));
    for _ in 0..STEPS {
        tokio::time::sleep(Duration::from_millis(random.random_range(10..250))).await;
        match random.random_range(0..10) {
            0..4 => world.cluster.assign(|| random.random_range(0..MEMBERS)),
            4..7 => {
                let number = random.random_range(0..MEMBERS);
                members[number].kill.cancel();
                members[number] = start(&world, number, random.random());
            }
            7 => {
                let number = random.random_range(0..MEMBERS);
                members[number].stop.cancel();
                members[number] = start(&world, number, random.random());
            }
            _ => maintain(world.clone(), random.random()).await,
        }
    }
    world.faults.end();
    let told = |why: String| format!("seed {seed}: {why}");
    for member in &members {
        if random.random_bool(0.5) { member.kill.cancel() } else { member.stop.cancel() }
    }
    for member in members {
        match member.task.await {
            Err(error) if error.is_panic() => return Err(told(format!("a member: {error}"))),
            _ => {}
        }
    }
    let last = start(&world, 0, random.random());
    world.cluster.assign(|| 0);
    let ended = tokio::time::timeout(END_WITHIN, reach_the_end(world.clone())).await;
    last.stop.cancel();
    last.task.await.map_err(|error| told(error.to_string()))?;
    ended.map_err(|_| told(format!("not at the end within {END_WITHIN:?}")))?.map_err(told)?;
    maintain(world.clone(), random.random()).await;
    check(world.clone()).await.map_err(told)?;
    Ok(world.faults.fired())
}

async fn open(world: World, seed: u64) -> Result<Lake, LakeError> {
    let store = Arc::new(world.faults.over(Arc::clone(&world.store), seed));
    let root = url::Url::parse("memory:///lake/").expect("a URL");
    Lake::open_in(root, store, clock(seed)).await
}

/// The machine's clock; that of every fourth schedule jumps.
fn clock(seed: u64) -> Arc<dyn Clock> {
    if seed % 4 == 3 { Arc::new(JumpingClock::default()) } else { Arc::new(SystemClock) }
}

/// A member of the group, started again when it stops by an error that may pass.
fn start(world: &World, number: usize, seed: u64) -> Running {
    let (world, stop) = (world.clone(), CancellationToken::new());
    let (stopped, kill) = (stop.clone(), CancellationToken::new());
    let killed = kill.clone();
    let task = alone(move || async move {
        while !stopped.is_cancelled() {
            let serving = serve(world.clone(), number, seed, stopped.clone());
            match killed.run_until_cancelled(serving).await {
                None | Some(Ok(())) => return,
                Some(Err(error)) if error.is_retryable() => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Some(Err(error)) => panic!("member {number}: {error}"),
            }
        }
    });
    Running { task, stop, kill }
}

async fn serve(
    world: World,
    number: usize,
    seed: u64,
    stop: CancellationToken,
) -> Result<(), crate::pipeline::PipelineError> {
    let lake = Arc::new(open(world.clone(), seed).await?);
    let clock = clock(seed);
    let parts = Parts {
        lake,
        books: books(),
        rules: Arc::new(Rules::default()),
        decoders: AvroDecoders::new(RegistryConfig::default(), clock.clone())?,
        watermarks: Arc::new(std::sync::Mutex::new(Watermarks::default())),
        metrics: PipelineMetrics::register(&prometheus::Registry::new()).expect("metrics"),
        clock,
        folder: std::env::temp_dir(),
    };
    let config = PipelineConfig {
        flush_interval: Some(Span::millis(10)),
        flush_rows: 16,
        // Identities on the disk, in memory, and in both.
        identity_bytes_max: ByteSize(
            [0, 4 << 10, 64 << 20][usize::try_from(seed % 3).unwrap_or_default()],
        ),
        ..PipelineConfig::default()
    };
    let source = Box::new(Member::new(number, world.cluster.clone(), seed));
    Pipeline::open(config, source, parts).await?.run(stop).await
}

fn books() -> Books {
    static BOOKS: OnceLock<Books> = OnceLock::new();
    let open = || Books::open(&crate::pricing::Config::default()).expect("the built-in book");
    BOOKS.get_or_init(open).clone()
}

/// One round of maintenance that finds everything due; what fails is left for the next one.
async fn maintain(world: World, seed: u64) {
    let config = MaintenanceConfig {
        small_files_max: 2,
        merge_every: Span::millis(1),
        checkpoint_every: 3,
        ..MaintenanceConfig::default()
    };
    let Ok(lake) = open(world.clone(), seed).await else { return };
    let mut maintenance = Maintenance::new(config);
    for name in [TableName::Calls, TableName::DeadLetters] {
        drop(maintenance.run_once(lake.table(name)).await);
    }
}

async fn reach_the_end(world: World) -> Result<(), String> {
    let lake = open(world.clone(), 0).await.map_err(|error| error.to_string())?;
    loop {
        let snapshot = lake.table(TableName::Calls).refresh().await;
        let snapshot = snapshot.map_err(|error| error.to_string())?;
        let mut is_behind = false;
        for (number, messages) in world.cluster.partitions.iter().enumerate() {
            let next = snapshot.next_offset(&Cluster::app_id(number)).await;
            let next = next.map_err(|error| error.to_string())?;
            is_behind |= next != i64::try_from(messages.len()).ok();
        }
        if !is_behind {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Every event is in one row, one dead letter or queued as a correction; every identity that is
/// good is one row.
async fn check(world: World) -> Result<(), String> {
    let lake = open(world.clone(), 0).await.map_err(|error| error.to_string())?;
    let calls = places(&lake, TableName::Calls).await.map_err(|error| error.to_string())?;
    let dead = places(&lake, TableName::DeadLetters).await.map_err(|error| error.to_string())?;
    let queued = places(&lake, TableName::CallRevisions).await;
    let dead = [dead, queued.map_err(|error| error.to_string())?].concat();
    let mut found: Vec<(i32, i64)> = calls.iter().chain(&dead).map(|(place, _)| *place).collect();
    found.sort_unstable();
    let expected = events::places(&world.cluster.partitions);
    if found != expected {
        let missing: Vec<_> = expected.iter().filter(|place| !found.contains(place)).collect();
        let twice = |rows: &[((i32, i64), String)]| {
            let all = |place| found.iter().filter(|found| *found == place).count();
            let twice = rows.iter().filter(|(place, _)| all(place) > 1);
            twice.map(|(place, id)| format!("{place:?} {id}")).collect::<Vec<_>>()
        };
        let (calls, dead) = (twice(&calls), twice(&dead));
        return Err(format!("missing {missing:?}, twice: calls {calls:?}, dead letters {dead:?}"));
    }
    let mut ids: Vec<String> = calls.into_iter().map(|(_, id)| id).collect();
    ids.sort();
    let expected = events::good_ids(&world.cluster.partitions);
    if ids == expected {
        return Ok(());
    }
    let missing: Vec<&String> = expected.iter().filter(|id| !ids.contains(id)).collect();
    let twice: Vec<&[String]> = ids.windows(2).filter(|two| two[0] == two[1]).collect();
    let mut told = format!("missing {missing:?}, twice {twice:?}");
    for id in missing {
        told += &history::of(&lake, &world.store, id).await;
    }
    Err(told)
}

/// Partition and offset of each row, and its event's id.
async fn places(lake: &Lake, name: TableName) -> Result<Vec<((i32, i64), String)>, LakeError> {
    let table = lake.table(name);
    let columns = ["source_partition", "source_offset", "event_id"];
    let mut places = Vec::new();
    for file in table.refresh().await?.files().await?.iter() {
        for batch in table.read(file, Some(&columns)).await? {
            let column = |name| batch.column_by_name(name).expect("a column");
            let partitions = column("source_partition").as_primitive::<Int32Type>();
            let offsets = column("source_offset").as_primitive::<Int64Type>();
            let ids = column("event_id").as_string::<i32>();
            for row in 0..batch.num_rows() {
                let place = (partitions.value(row), offsets.value(row));
                places.push((place, ids.value(row).to_owned()));
            }
        }
    }
    Ok(places)
}
