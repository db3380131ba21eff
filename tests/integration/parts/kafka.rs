//! A real Apache Kafka: one KRaft node on loopback, with plain, TLS and SASL/SCRAM listeners.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::{Process, free_port, installed, run};

/// A running broker.
pub struct Kafka {
    /// `host:port` of the plain listener.
    pub plain: String,
    /// `host:port` of the listener with TLS and SASL/SCRAM; user `meter`, password `secret-123`.
    pub secure: String,
    /// The certificate of the authority that signed the broker's.
    pub ca: PathBuf,
    process: Process,
    dir: tempfile::TempDir,
    ports: [u16; 2],
}

/// The topic that others write.
pub const RAW: &str = "llm.calls.raw";
pub const USER: &str = "meter";
pub const PASSWORD: &str = "secret-123";
const PART: &str = "kafka-4.1.1";
const STORE_PASSWORD: &str = "changeit";

impl Kafka {
    /// Starts a broker; `None` where Kafka is not installed.
    pub fn start() -> Option<Self> {
        installed(PART)?;
        let dir = tempfile::tempdir().expect("a folder");
        let (plain, secure, controller) = (free_port(), free_port(), free_port());
        let ca = certificates(dir.path());
        let properties = dir.path().join("server.properties");
        let text = settings(dir.path(), plain, secure, controller);
        std::fs::write(&properties, text).expect("written");
        let tool = || java(dir.path(), "-Xmx128m", "kafka.tools.StorageTool");
        let id = run(tool().arg("random-uuid"));
        run(tool()
            .args(["format", "--standalone", "--cluster-id", id.trim(), "--config"])
            .arg(&properties)
            .arg("--add-scram")
            .arg(format!("SCRAM-SHA-512=[name={USER},password={PASSWORD}]")));
        let process = serve(dir.path(), [plain, secure]);
        Some(Self {
            plain: format!("127.0.0.1:{plain}"),
            secure: format!("localhost:{secure}"),
            ca,
            process,
            dir,
            ports: [plain, secure],
        })
    }

    /// Ends it as a power cut would: SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what it has on disk, and waits until it listens.
    pub fn start_again(&mut self) {
        self.process = serve(self.dir.path(), self.ports);
    }

    /// Sends messages, spread over the partitions, and waits until all are acknowledged.
    pub async fn produce(&self, topic: &str, messages: &[impl AsRef<[u8]>]) {
        let producer: FutureProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.plain)
            .set("linger.ms", "20")
            .set("queue.buffering.max.messages", "200000")
            .create()
            .expect("a producer");
        let mut sent = Vec::with_capacity(messages.len());
        for (number, message) in messages.iter().enumerate() {
            let key = number.to_string();
            let record = FutureRecord::to(topic).key(&key).payload(message.as_ref());
            sent.push(producer.send_result(record).map_err(|(error, _)| error).expect("queued"));
        }
        for delivery in sent {
            delivery.await.expect("a delivery").expect("delivered");
        }
    }

    /// Deletes a topic and makes it again, with one partition.
    pub async fn make_again(&self, topic: &str) {
        let admin: AdminClient<_> = ClientConfig::new()
            .set("bootstrap.servers", &self.plain)
            .create()
            .expect("an administrator");
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)));
        let deleted = admin.delete_topics(&[topic], &options).await.expect("an answer");
        deleted[0].as_ref().expect("deleted");
        loop {
            let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
            let made = admin.create_topics(&[new], &options).await.expect("an answer");
            match &made[0] {
                Ok(_) => return,
                // The old one is still going.
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err(error) => panic!("{error:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The first message of a partition, key and payload.
    pub async fn first(&self, topic: &str, partition: i32, within: Duration) -> (String, String) {
        let consumer: StreamConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.plain)
            .set("group.id", "reader")
            .create()
            .expect("a consumer");
        let mut assigned = TopicPartitionList::new();
        assigned.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset");
        consumer.assign(&assigned).expect("assigned");
        let received = tokio::time::timeout(within, consumer.recv()).await;
        let message = received.expect("a message in time").expect("a message");
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap()).into_owned();
        (text(message.key()), text(message.payload()))
    }
}

/// A broker's process, listening.
fn serve(dir: &Path, ports: [u16; 2]) -> Process {
    let mut command = java(dir, "-Xmx384m", "kafka.Kafka");
    command.arg(dir.join("server.properties"));
    let mut process = Process::start(command, dir.join("kafka.log"));
    ports.into_iter().for_each(|port| process.wait_for_port(port, Duration::from_secs(60)));
    process
}

fn java(dir: &Path, memory: &str, main: &str) -> Command {
    let libs = installed(PART).expect("it is installed").join("libs");
    let mut command = Command::new("java");
    command.args([memory, "-cp", &format!("{}/*", libs.display()), main]).current_dir(dir);
    command
}

fn settings(dir: &Path, plain: u16, secure: u16, controller: u16) -> String {
    let dir = dir.display();
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{plain},SECURE://localhost:{secure},\
CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SECURE://localhost:{secure},\
CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PKCS12
ssl.keystore.location={dir}/broker.p12
ssl.keystore.password={STORE_PASSWORD}
ssl.key.password={STORE_PASSWORD}
log.dirs={dir}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
default.replication.factor=1
num.partitions=6
"
    )
}

/// An authority of our own, and the broker's certificate for `localhost`.
fn certificates(dir: &Path) -> PathBuf {
    let openssl =
        |arguments: &[&str]| run(Command::new("openssl").args(arguments).current_dir(dir));
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-days",
        "2",
        "-subj",
        "/CN=tokenmeter test authority",
    ]);
    openssl(&[
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "broker.key",
        "-out",
        "broker.csr",
        "-subj",
        "/CN=localhost",
    ]);
    std::fs::write(dir.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    openssl(&[
        "x509",
        "-req",
        "-in",
        "broker.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-out",
        "broker.pem",
        "-days",
        "2",
        "-extfile",
        "names",
    ]);
    openssl(&[
        "pkcs12",
        "-export",
        "-in",
        "broker.pem",
        "-inkey",
        "broker.key",
        "-out",
        "broker.p12",
        "-passout",
        "pass:changeit",
        "-name",
        "broker",
    ]);
    dir.join("ca.pem")
}
