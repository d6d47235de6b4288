internal import NIOCore
internal import NIOHTTP1

/// A channel handler that passes on exactly one HTTP response per connection.
///
/// It sits between the HTTP parser and the client. The client assumes a valid order of response parts and traps otherwise, which
/// a status below 100 or an unsolicited response could cause.
final class AnswerGuard: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart

    /// The error for a status code below 100, which HTTP does not define.
    struct ImpossibleStatus: Error {
        var status: UInt
    }

    private var isDone = false

    /// Adds a guard to a new connection.
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
        // errors after the complete response are ignored; the connection is closed
        if isDone { context.close(promise: nil) } else { context.fireErrorCaught(error) }
    }
}
