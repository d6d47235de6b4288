internal import NIOCore
internal import NIOHTTP1

/// Lets through what is one answer of HTTP, and nothing else.
///
/// It stands between the parser and the client, which relies on the parser for the order of what it gets and ends the process where that
/// order is another: behind a status below 100, or an answer that nobody asked for.
final class AnswerGuard: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart

    /// A status that HTTP does not have.
    struct ImpossibleStatus: Error {
        var status: UInt
    }

    private var isDone = false

    /// Puts a guard into a new connection.
    static func join(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.submit {
            let operations = channel.pipeline.syncOperations
            let parser = try operations.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
            try operations.addHandler(AnswerGuard(), position: .after(parser))
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        switch unwrapInboundIn(data) {
        case .head(let head) where head.status.code < 100:
            isDone = true
            context.fireErrorCaught(ImpossibleStatus(status: head.status.code))
            return context.close(promise: nil)
        case .end: isDone = true
        default: break
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // whatever follows the answer was not asked for; the connection ends with it
        if isDone { context.close(promise: nil) } else { context.fireErrorCaught(error) }
    }
}
