internal import Foundation

/// A client for the parts of MLflow's REST API, version 2.0, that a run needs.
struct MLflowClient {
    /// The reason why the server did not accept a request.
    struct Problem: Error, CustomStringConvertible {
        var description: String
    }

    /// A metric at a step. `timestamp` is in milliseconds since 1970.
    struct Metric: Encodable {
        var key: String
        var value: Double
        var timestamp: Int64
        var step: Int
    }

    /// A parameter: the name and value of an option.
    struct Parameter: Encodable {
        var key: String
        var value: String
    }

    let address: ServiceAddress
    let key: ServiceKey?
    /// The time-out of a request in seconds. The run waits for requests, so it is short.
    var seconds = 10.0
    private let client = ServiceClient()

    init(address: ServiceAddress, key: ServiceKey?) { (self.address, self.key) = (address, key) }

    /// The ID of an experiment, which is created if it does not exist.
    func experiment(_ name: String) throws -> String {
        struct Found: Decodable {
            struct Experiment: Decodable { var experiment_id: String }
            var experiment: Experiment
        }
        struct Made: Decodable { var experiment_id: String }
        let query = "?experiment_name=" + (name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
        let answer = try send("experiments/get-by-name" + query, body: nil)
        if answer.status != 404 { return try decoded(Found.self, answer, "experiments/get-by-name").experiment.experiment_id }
        return try post("experiments/create", ["name": name], Made.self).experiment_id
    }

    /// Creates a run.
    /// - Parameter time: The start time in milliseconds since 1970.
    /// - Returns: The run's ID.
    func createRun(experiment: String, name: String, time: Int64) throws -> String {
        struct Request: Encodable {
            var experiment_id: String
            var run_name: String
            var start_time: Int64
        }
        struct Made: Decodable {
            struct Run: Decodable {
                struct Info: Decodable { var run_id: String }
                var info: Info
            }
            var run: Run
        }
        let made = try post("runs/create", Request(experiment_id: experiment, run_name: name, start_time: time), Made.self)
        return made.run.info.run_id
    }

    /// Logs at most 1000 metrics and at most 100 parameters.
    func log(run: String, metrics: [Metric], parameters: [Parameter] = []) throws {
        struct Request: Encodable {
            var run_id: String
            var metrics: [Metric]
            var params: [Parameter]
        }
        _ = try post("runs/log-batch", Request(run_id: run, metrics: metrics, params: parameters), Empty.self)
    }

    /// Sets the status of a run: RUNNING, FINISHED, FAILED or KILLED.
    /// - Parameter endTime: The end time in milliseconds since 1970; nil while the run continues.
    func update(run: String, status: String, endTime: Int64?) throws {
        struct Request: Encodable {
            var run_id: String
            var status: String
            var end_time: Int64?
        }
        _ = try post("runs/update", Request(run_id: run, status: status, end_time: endTime), Empty.self)
    }

    private struct Empty: Decodable {}

    private func post<Result: Decodable>(_ path: String, _ request: some Encodable, _: Result.Type) throws -> Result {
        try decoded(Result.self, send(path, body: Array(JSONEncoder().encode(request))), path)
    }

    private func send(_ path: String, body: [UInt8]?) throws -> ServiceClient.Answer {
        let base = address.text.hasSuffix("/") ? String(address.text.dropLast()) : address.text
        let target = try ServiceAddress("\(base)/api/2.0/mlflow/\(path)", for: .tracking)
        let limits = ServiceClient.Limits(seconds: seconds, bytes: 1 << 20)
        do {
            guard let body else { return try client.get(target, key: key, limits: limits) }
            return try client.post(body, to: target, key: key, limits: limits)
        } catch {
            throw Problem(description: "\(target): \(error)")
        }
    }

    private func decoded<Result: Decodable>(_: Result.Type, _ answer: ServiceClient.Answer, _ path: String) throws -> Result {
        switch answer.status {
        case 200: break
        case 401, 403:
            throw Problem(
                description: RefusalText.keyRefused(
                    answer.status, address.description, variable: MLflowTracker.keyVariable, isSet: key != nil))
        default: throw Problem(description: "\(address): \(path) returned status \(answer.status); check that this is an MLflow server")
        }
        guard let result = try? JSONDecoder().decode(Result.self, from: Data(answer.body)) else {
            throw Problem(description: "\(address): \(path) did not return the JSON of MLflow; check that this is an MLflow server")
        }
        return result
    }
}
