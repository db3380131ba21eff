// Asks questions as a JDBC client does, and prints the answers in the form of postgres_clients.py.
//
// java -cp postgresql.jar PostgresClient.java PORT KEY QUESTIONS.tsv

import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.Types;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.Properties;

class PostgresClient {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.setProperty("user", "analyst");
        properties.setProperty("password", arguments[1]);
        String url = "jdbc:postgresql://127.0.0.1:" + arguments[0] + "/tokenmeter";
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            for (String line : Files.readAllLines(Path.of(arguments[2]))) {
                ask(connection, line.split("\t"));
            }
            describe(connection);
            inParts(connection);
        }
    }

    static void ask(Connection connection, String[] question) throws Exception {
        String sql = question[1].replaceAll("\\$\\d+", "?");
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int at = 2; at < question.length; at++) {
                bind(statement, at - 1, question[at]);
            }
            // From the fifth time on the driver prepares it on the server and asks for binary.
            for (int time = 0; time < 6; time++) {
                statement.executeQuery().close();
            }
            try (ResultSet rows = statement.executeQuery()) {
                int columns = rows.getMetaData().getColumnCount();
                while (rows.next()) {
                    StringBuilder shown = new StringBuilder(question[0]);
                    for (int column = 1; column <= columns; column++) {
                        shown.append('\t').append(cell(rows, column));
                    }
                    System.out.println(shown);
                }
            }
        }
    }

    static void bind(PreparedStatement statement, int place, String parameter) throws Exception {
        String kind = parameter.substring(0, parameter.indexOf('='));
        String text = parameter.substring(parameter.indexOf('=') + 1);
        switch (kind) {
            case "text" -> statement.setString(place, text);
            case "bigint" -> statement.setLong(place, Long.parseLong(text));
            case "numeric" -> statement.setBigDecimal(place, new BigDecimal(text));
            case "date" -> statement.setObject(place, LocalDate.parse(text));
            case "timestamp" ->
                statement.setObject(place, OffsetDateTime.ofInstant(Instant.parse(text), ZoneOffset.UTC));
            default -> throw new IllegalArgumentException(kind);
        }
    }

    static String cell(ResultSet rows, int column) throws Exception {
        if (rows.getObject(column) == null) {
            return "\\N";
        }
        ResultSetMetaData told = rows.getMetaData();
        return switch (told.getColumnType(column)) {
            case Types.NUMERIC -> plain(rows.getBigDecimal(column));
            case Types.BIGINT, Types.INTEGER, Types.SMALLINT -> Long.toString(rows.getLong(column));
            case Types.BIT, Types.BOOLEAN -> Boolean.toString(rows.getBoolean(column));
            case Types.DATE -> rows.getObject(column, LocalDate.class).toString();
            case Types.TIMESTAMP, Types.TIMESTAMP_WITH_TIMEZONE ->
                rows.getObject(column, OffsetDateTime.class).toInstant().toString();
            case Types.BINARY -> HexFormat.of().formatHex(rows.getBytes(column));
            case Types.DOUBLE, Types.REAL, Types.FLOAT -> throw new IllegalStateException("a float");
            default -> rows.getString(column);
        };
    }

    static String plain(BigDecimal number) {
        return number.signum() == 0 ? "0" : number.stripTrailingZeros().toPlainString();
    }

    /** What a BI tool asks of the driver before anybody asks a question. */
    static void describe(Connection connection) throws Exception {
        try (ResultSet tables = connection.getMetaData().getTables(null, "public", "%", null)) {
            while (tables.next()) {
                System.out.println("tables\t" + tables.getString("TABLE_NAME"));
            }
        }
        try (ResultSet columns = connection.getMetaData().getColumns(null, "public", "calls", "cost%")) {
            while (columns.next()) {
                System.out.println("columns\t" + columns.getString("COLUMN_NAME")
                    + "\t" + columns.getString("TYPE_NAME"));
            }
        }
        try (ResultSet schemas = connection.getMetaData().getSchemas()) {
            while (schemas.next()) {
                System.out.println("schemas\t" + schemas.getString("TABLE_SCHEM"));
            }
        }
    }

    /** A large answer is fetched in parts, in a transaction. */
    static void inParts(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        int count = 0;
        try (PreparedStatement statement = connection.prepareStatement("SELECT event_id FROM calls")) {
            statement.setFetchSize(7);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    count++;
                }
            }
        }
        connection.commit();
        System.out.println("parts\t" + count);
    }
}
