/// ``AnnotatorAgreement`` as tables for spreadsheets: CSV by RFC 4180, an empty field where a number is not defined.
extension AnnotatorAgreement {
    /// One row per annotator: `annotator,tasks,mean_seconds,agreement_with_others,neutral_share,left_share`.
    public var annotatorTable: String {
        Self.table(
            ["annotator", "tasks", "mean_seconds", "agreement_with_others", "neutral_share", "left_share"],
            annotators.map { row in
                [
                    row.annotator, "\(row.tasks)", Self.field(row.meanSeconds), Self.field(row.agreementWithOthers),
                    "\(row.neutralShare)", "\(row.leftShare)",
                ]
            })
    }

    /// One row per task: `task,annotators,mean,spread`.
    public var taskTable: String {
        Self.table(
            ["task", "annotators", "mean", "spread"],
            tasks.map { [$0.task, "\($0.annotators)", "\($0.mean)", Self.field($0.spread)] })
    }

    private static func field(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

    private static func table(_ header: [String], _ rows: [[String]]) -> String {
        ([header] + rows).map { $0.map(CSVField.text).joined(separator: ",") + "\n" }.joined()
    }
}
