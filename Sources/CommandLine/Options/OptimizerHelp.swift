import ArgumentParser

/// The help of options of the optimiser that all training programs have.
enum OptimizerHelp {
    static var optimizer: ArgumentHelp {
        """
        Optimiser: adamw, adamw8bit, lion or adafactor. adamw8bit (Dettmers et al. 2022) keeps AdamW's two moments in 8 bits instead of \
        32, except those of parameters with fewer than 4096 weights. lion (Chen et al. 2023) keeps one number per trained weight instead \
        of two. It needs a learning rate 3 to 10 times smaller. Its paper has a second beta of 0.99. adafactor (Shazeer & Stern 2018) \
        keeps one number per row and column of a matrix.
        """
    }

    static var beta1: ArgumentHelp {
        """
        Decay rate of the first moment. With --optimizer lion, weight of the momentum in the direction of a step; with adafactor, \
        without effect.
        """
    }

    static var beta2: ArgumentHelp {
        "Decay rate of the second moment. With --optimizer lion, decay rate of the momentum; with adafactor, without effect."
    }

    static var inBackward: ArgumentHelp {
        .yesNo(
            """
            Update each weight in the backward pass, as soon as its gradient is complete, and free the gradient. It saves 4 bytes per \
            trained weight if a step has one pass (--tokens-per-pass), and changes no result. It cannot be combined with gradient \
            clipping, gradient accumulation, --skip-bad-batches or several processes.
            """)
    }
}
