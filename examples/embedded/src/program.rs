//! The parts of a program that `std` would provide: an arena, an entry, and a panic handler.

/// Makes a program from a function `run(&mut Board)` and its `ARENA`.
#[macro_export]
macro_rules! program {
    ($run:path) => {
        #[global_allocator]
        static ARENA: $crate::arena::Arena<{ $crate::limits::ARENA }> = $crate::arena::Arena::new();

        /// It is also called when the arena is full: better to restart than to continue without memory.
        #[panic_handler]
        fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
            let mut board = $crate::board::Board::again();
            board.log(format_args!("{info}"));
            board.end(false)
        }

        #[cfg(unix)]
        #[unsafe(no_mangle)]
        extern "C" fn main() -> i32 {
            let mut board = $crate::board::Board::new();
            $run(&mut board);
            board.end(true)
        }

        #[cfg(target_os = "none")]
        #[$crate::cortex_m_rt::entry]
        fn main() -> ! {
            let mut board = $crate::board::Board::new();
            $run(&mut board);
            board.end(true)
        }
    };
}
