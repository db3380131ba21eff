"""Sends one event as Avro, by Confluent's client and serializer through a registry, and its JSON twin.

    avro_twins.py BROKERS REGISTRY TOPIC
"""

import json
import sys
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

brokers, registry, topic = sys.argv[1:4]
schema = Path(__file__).parents[2] / "schemas" / "call_event.v1.avsc"
usage = {"prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500,
         "prompt_tokens_details": {"cached_tokens": 1000}}
context = {"base_url": "https://eu.api.openai.com", "output_item_types": ["message"]}
event = {
    "event_id": "twin-json", "source": "gateway-1", "provider": "openai", "api": "chat.completions",
    "model": "gpt-4o-mini", "occurred_at": sys.argv[4], "tenant": "acme", "team": "search",
    "tags": {"app": "checkout"}, "latency_ms": 812, "stream": False, "reported_cost": "0.00021",
    "reported_cost_source": "gateway", "attempt": 1, "http_status": 200,
}
twin = {**event, "event_id": "twin-avro", "occurred_at": int(sys.argv[5]),
        "usage": json.dumps(usage), "context": json.dumps(context)}
serializer = AvroSerializer(SchemaRegistryClient({"url": registry}), schema.read_text())
producer = Producer({"bootstrap.servers": brokers})
producer.produce(topic, key="a", value=json.dumps({**event, "usage": usage, "context": context}))
producer.produce(topic, key="b", value=serializer(twin, SerializationContext(topic, MessageField.VALUE)))
assert producer.flush(30) == 0, "not delivered"
print("sent")
