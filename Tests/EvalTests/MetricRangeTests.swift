import Eval
import Testing

@Suite struct MetricRangeTests {
    @Test func intervalsAreCutAndEstimatesStay() {
        let wide = Interval(mean: 1, low: -0.99, high: 2.99)
        #expect(MetricRange.share.clamp(wide) == Interval(mean: 1, low: 0, high: 1))
        #expect(MetricRange.unbounded.clamp(wide) == wide)
        #expect(MetricRange.notNegative.clamp(wide) == Interval(mean: 1, low: 0, high: 2.99))
        let inside = Interval(mean: 0.5, low: 0.25, high: 0.75)
        #expect(MetricRange.share.clamp(inside) == inside)
        // an estimate that rounding has put outside stays in its interval
        let beyond = MetricRange.share.clamp(Interval(mean: 1 + 1e-15, low: 0.5, high: 2))
        #expect(beyond.low <= beyond.mean && beyond.mean <= beyond.high && beyond.high == 1 + 1e-15)
    }

    @Test func differencesHaveARangeOfTheirOwn() {
        #expect(MetricRange.share.minus(.share) == MetricRange(least: -1, greatest: 1))
        #expect(MetricRange.notNegative.minus(.share) == MetricRange(least: -1))
        #expect(MetricRange.share.minus(.unbounded) == .unbounded)
    }
}
