/// Error messages, common to all services, for requests that a service rejects.
enum RefusalText {
    static func refused(_ status: Int, _ endpoint: String) -> String {
        "\(endpoint) answered with status \(status): check the address and the model's name"
    }

    static func keyRefused(_ status: Int, _ endpoint: String, variable: String, isSet: Bool) -> String {
        "\(endpoint) answered with status \(status): "
            + (isSet ? "check the key in \(variable)" : "it wants a key, and \(variable) is not set")
    }

    static func redirected(_ status: Int, _ endpoint: String, to target: String) -> String {
        "\(endpoint) answered with status \(status), a redirect to \(target), which is not followed: nothing was sent there; "
            + "if that is the service, name its address"
    }
}
