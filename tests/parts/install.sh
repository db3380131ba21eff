#!/usr/bin/env bash
# Installs the real parts that the integration tests run against, outside the checkout; what is there
# is left alone. Needs Java 17, Maven, Go and Python 3. With names, only those:
#   tests/parts/install.sh [kafka] [registry] [s3] [readers] [litellm] [maps] [openapi] [postgres] [spark]
set -euo pipefail
parts="${TOKENMETER_PARTS:-${XDG_CACHE_HOME:-$HOME/.cache}/tokenmeter/parts}"
mkdir -p "$parts"

# Runs a part's function once, in a folder of its own that appears when it is complete.
part() {
    local name=$1 folder="$parts/$2"
    if [ -e "$folder/.complete" ]; then
        echo "$name: there"
        return
    fi
    echo "$name: installing into $folder"
    rm -rf "$folder"
    mkdir -p "$folder"
    "install_$name" "$folder"
    touch "$folder/.complete"
}

install_kafka() { # Apache Kafka, as the jars of one Maven dependency
    cat > "$1/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>io.tokenmeter</groupId><artifactId>kafka-part</artifactId><version>1</version>
<dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>4.1.1</version></dependency></dependencies></project>
POM
    (cd "$1" && mvn -q -B dependency:copy-dependencies -DoutputDirectory="$1/libs")
}

install_registry() { # Apicurio Registry: Confluent-compatible, in memory
    (cd "$1" && mvn -q -B dependency:copy \
        -Dartifact=io.apicurio:apicurio-registry-app:3.0.9:tar.gz:all -DoutputDirectory="$1")
    tar -xzf "$1"/*.tar.gz -C "$1"
}

install_s3() { # Versity S3 Gateway
    GOBIN="$1" go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
}

venv() { # folder, packages...
    local folder=$1
    shift
    python3 -m venv "$folder"
    "$folder/bin/pip" install -q "$@"
}

install_readers() { # readers of the tables, and real clients of Kafka and the registry
    venv "$1" duckdb==1.5.5 duckdb-extensions==1.5.5 duckdb-extension-delta==1.5.5 polars==2.1.0 \
        deltalake==1.6.6 pytz "confluent-kafka[avro,schemaregistry]<2.16" pyarrow
}

install_litellm() { # the proxy, with mock responses
    venv "$1" "litellm[proxy]==1.106.2"
}

install_openapi() { # a validator of the OpenAPI document, and a client that tries what it describes
    venv "$1" openapi-spec-validator==0.9.0 schemathesis==4.32.5
}

install_maps() { # LiteLLM's published price map
    python3 -m pip download -q --no-deps -d "$1" litellm==1.109.1
    (cd "$1" && python3 -m zipfile -e litellm-*.whl . )
    cp "$1/litellm/model_prices_and_context_window_backup.json" "$1/litellm.json"
    rm -rf "$1"/litellm "$1"/litellm-*
}

install_postgres() { # clients of PostgreSQL: psql, two Python drivers, the JDBC driver
    if ! command -v psql > /dev/null; then
        apt-get install -y -q postgresql-client
    fi
    venv "$1" "psycopg[binary]==3.2.13" asyncpg==0.32.0
    (cd "$1" && mvn -q -B dependency:copy -Dartifact=org.postgresql:postgresql:42.7.8 \
        -DoutputDirectory="$1")
}

install_spark() { # Apache Spark with Delta Lake
    venv "$1" pyspark==4.0.1
    local jars
    jars=$("$1/bin/python" -c 'import pyspark; print(pyspark.__path__[0] + "/jars")')
    for artifact in delta-spark_2.13 delta-storage; do
        (cd "$1" && mvn -q -B dependency:copy -Dartifact="io.delta:$artifact:4.0.0" \
            -DoutputDirectory="$jars")
    done
}

wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || wanted=(kafka registry s3 readers litellm maps openapi postgres spark)
for name in "${wanted[@]}"; do
    case $name in
        kafka) part kafka kafka-4.1.1 ;;
        registry) part registry registry-3.0.9 ;;
        s3) part s3 versitygw ;;
        readers) part readers readers ;;
        litellm) part litellm litellm-1.106.2 ;;
        maps) part maps maps-1.109.1 ;;
        openapi) part openapi openapi ;;
        postgres) part postgres postgres-clients-1 ;;
        spark) part spark spark-4.0.1 ;;
        *) echo "unknown part: $name" >&2; exit 1 ;;
    esac
done
