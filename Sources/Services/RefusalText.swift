/// Error messages, common to all services, for requests that a service rejects.
enum RefusalText {
    static func refused(_ status: Int, _ endpoint: String) -> String {
        "\(endpoint) returned status \(status): check the address and the model name"
    }

    static func keyRefused(_ status: Int, _ endpoint: String, variable: String, isSet: Bool) -> String {
        "\(endpoint) returned status \(status): "
            + (isSet ? "check the key in \(variable)" : "it requires a key, but \(variable) is not set")
    }

    static func redirected(_ status: Int, _ endpoint: String, to target: String) -> String {
        "\(endpoint) returned status \(status), a redirect to \(target); redirects are not followed, so nothing was sent there; "
            + "if that is the service, pass its address"
    }
}
