extension AdamStep {
    /// Updates a value and its first and second moments in place, where these are kept in 8 bits.
    ///
    /// The value changes by the new moments before they are rounded. The first moment is rounded to the nearest number of the signed
    /// map; the second to the nearest of the unsigned map, but never from above 0 to 0: a gradient that stays away afterwards would
    /// then be divided by epsilon alone. All four must have the same shape; otherwise the program stops.
    public func apply(gradient: Tensor, to value: inout Tensor, first: inout MomentCodes, second: inout MomentCodes) {
        precondition(
            gradient.shape == value.shape && first.shape == value.shape && second.shape == value.shape,
            "adam needs four arrays of the same shape, not \(gradient.shape), \(value.shape), \(first.shape), \(second.shape)")
        let (kernels, settings, count) = (Kernels.current, kernelSettings, value.count)
        // chunks are whole blocks
        let grain = 64 * MomentCodes.block
        value.update { value in
            guard let v = value.baseAddress else { return }
            first.update { m, firstScales in
                second.update { s, secondScales in
                    Compute.forChunks(count, grain: grain) { range in
                        let (at, block) = (range.lowerBound, range.lowerBound / MomentCodes.block)
                        withUnsafePointer(to: settings) { settings in
                            withUnsafePointer(to: DynamicMap.signed.table) { signed in
                                withUnsafePointer(to: DynamicMap.unsigned.table) { unsigned in
                                    kernels.pointee.adam8(
                                        range.count, settings, signed, unsigned, gradient.pointer + at, v + at,
                                        m + at, firstScales + block, s + at, secondScales + block)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
