//! Kills at random, zombies, rebalances, and a broker that dies.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::load::Pace;
use crate::meter::Meter;
use crate::parts::kafka::Kafka;
use crate::parts::s3::S3;
use crate::report;
use crate::world::World;

/// Above 2,000 events a second where the machine allows it: half over HTTP, half over Kafka.
const HEAVY: Pace = Pace { events: 200, pause: Duration::from_millis(50) };
/// What goes on while processes come and go.
const LIGHT: Pace = Pace { events: 20, pause: Duration::from_millis(100) };
/// After so many kills a new lake begins: a start reads every identity.
const KILLS_A_WORLD: u64 = 50;
/// After so many everything is checked.
const KILLS_A_CHECK: u64 = 10;

/// What a seed decides.
fn random() -> StdRng {
    StdRng::seed_from_u64(setting("TOKENMETER_TORTURE_SEED", 11))
}

/// How often something is done, unless a variable says otherwise.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn trials(otherwise: u64) -> u64 {
    setting("TOKENMETER_TORTURE_TRIALS", otherwise)
}

/// SIGKILL at random moments under load, over both doors; the lake in a folder, or on an object
/// store.
pub async fn random_kills(s3: Option<&S3>) {
    let Some(kafka) = Kafka::start() else { return };
    let (kills, mut random) = (trials(200), random());
    let (began, mut took, mut loaded) = (Instant::now(), Vec::new(), Duration::ZERO);
    let mut sent = 0;
    for first in (0..kills).step_by(KILLS_A_WORLD as usize) {
        let mut world = World::new(Some(&kafka), false);
        s3.iter().for_each(|s3| world.store_in(s3));
        let mut meter = world.start(0).await;
        for kill in first + 1..=kills.min(first + KILLS_A_WORLD) {
            let (traffic, since) = (world.send(HEAVY), Instant::now());
            tokio::time::sleep(Duration::from_millis(random.random_range(0..1_500))).await;
            // What is under way at the kill is sent again until it is acknowledged.
            traffic.end();
            loaded += since.elapsed();
            meter.kill();
            meter = world.start(0).await;
            world.settle(traffic).await;
            if kill % KILLS_A_CHECK == 0 || kill == kills {
                world.send_fresh().await;
                took.push(world.check(&mut meter).await);
                eprintln!("{kill} kills, {} events: {:?}", sent + world.sent(), took.last());
            }
        }
        sent += world.sent();
    }
    let text = format!(
        "{kills} SIGKILLs at random moments in {:.0} s, {sent} events acknowledged, {:.0} a second \
         while the load was on (half over HTTP, half over Kafka), all checked {} times: 0 lost, 0 \
         twice. From ready and the load's end to everything visible: {}.",
        began.elapsed().as_secs_f64(),
        sent as f64 / loaded.as_secs_f64(),
        took.len(),
        report::spread(&took),
    );
    report::section(if s3.is_some() { "kills on s3" } else { "random kills" }, &text);
}

/// A process is paused past its session, another one takes over, the first one wakes up.
pub async fn zombies() {
    let Some(kafka) = Kafka::start() else { return };
    let (zombies, mut random) = (trials(20), random());
    let mut world = World::new(Some(&kafka), false);
    let mut first = world.start(0).await;
    let mut second = world.spawn(1, None);
    assert!(second.ready().await, "it died: {}", second.tail());
    let mut took = Vec::new();
    for zombie in 1..=zombies {
        world.direct_to(&second);
        let traffic = world.send(LIGHT);
        tokio::time::sleep(Duration::from_millis(random.random_range(0..1_500))).await;
        first.signal("STOP");
        tokio::time::sleep(Duration::from_millis(random.random_range(2_500..4_500))).await;
        first.signal("CONT");
        tokio::time::sleep(Duration::from_millis(random.random_range(0..1_000))).await;
        world.settle(traffic).await;
        world.send_fresh().await;
        took.push(world.check(&mut second).await);
        assert!(first.is_alive(), "{}", first.tail());
        eprintln!("{zombie} zombies, {} events: {:?}", world.sent(), took.last());
        std::mem::swap(&mut first, &mut second);
    }
    let lost = first.log().matches("lost").count() + second.log().matches("lost").count();
    let text = format!(
        "{zombies} times a process was stopped past its session, another one took over, and it \
         woke up again ({} events): 0 lost, 0 twice. {lost} times a process met another owner's \
         mark and dropped what it had. Everything visible: {}.",
        world.sent(),
        report::spread(&took),
    );
    report::section("zombies", &text);
}

/// Members come, leave and are killed.
pub async fn rebalances() {
    let Some(kafka) = Kafka::start() else { return };
    let (changes, mut random) = (trials(50), random());
    let mut world = World::new(Some(&kafka), false);
    let mut stays = world.start(0).await;
    let mut others: Vec<(usize, Meter)> = Vec::new();
    let (mut traffic, mut took) = (world.send(LIGHT), Vec::new());
    for change in 1..=changes {
        // One or two beside the one that stays.
        if others.is_empty() || (others.len() == 1 && random.random_bool(0.5)) {
            let number = if others.iter().any(|(number, _)| *number == 1) { 2 } else { 1 };
            let mut other = world.spawn(number, None);
            assert!(other.ready().await, "it died: {}", other.tail());
            others.push((number, other));
        } else {
            let (_, mut other) = others.remove(random.random_range(0..others.len()));
            if random.random_bool(0.5) { other.terminate().await } else { other.kill() }
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..2_500))).await;
        if change % 10 == 0 || change == changes {
            world.settle(traffic).await;
            world.send_fresh().await;
            took.push(world.check(&mut stays).await);
            eprintln!("{change} changes, {} events: {:?}", world.sent(), took.last());
            traffic = world.send(LIGHT);
        }
    }
    world.settle(traffic).await;
    world.check(&mut stays).await;
    let text = format!(
        "{changes} changes of membership with two and three instances: joined, left by SIGTERM, \
         killed ({} events): 0 lost, 0 twice. Everything visible: {}.",
        world.sent(),
        report::spread(&took),
    );
    report::section("rebalances", &text);
}

/// The broker dies and comes back.
pub async fn broker_kills() {
    let Some(mut kafka) = Kafka::start() else { return };
    let (kills, mut random) = (trials(10), random());
    let mut world = World::new(Some(&kafka), false);
    let mut meter = world.start(0).await;
    let (mut up, mut took) = (Vec::new(), Vec::new());
    for kill in 1..=kills {
        let traffic = world.send(LIGHT);
        tokio::time::sleep(Duration::from_millis(random.random_range(500..2_500))).await;
        kafka.kill();
        tokio::time::sleep(Duration::from_millis(random.random_range(0..3_000))).await;
        let again = Instant::now();
        kafka.start_again();
        up.push(again.elapsed());
        let listening = Instant::now();
        world.settle(traffic).await;
        world.send_fresh().await;
        world.check(&mut meter).await;
        took.push(listening.elapsed());
        eprintln!("{kill} kills, {} events: {:?}", world.sent(), took.last());
    }
    let text = format!(
        "{kills} SIGKILLs of a real broker under load ({} events), the process living on: 0 lost, \
         0 twice. The broker listens again after: {}. From then until everything is visible: {}.",
        world.sent(),
        report::spread(&up),
        report::spread(&took),
    );
    report::section("broker kills", &text);
}
