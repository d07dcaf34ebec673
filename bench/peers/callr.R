# SPDX-License-Identifier: LGPL-2.1-or-later
# R's callr, as contenders (see bench/contender.h): a session that is kept, or a process for each call.

add <- function(a, b) a + b

if (!requireNamespace("callr", quietly = TRUE)) {
  cat("skip r-cran-callr is not installed\n")
  quit()
}
if (commandArgs(TRUE)[1] == "session") {
  session <- callr::r_session$new()
  call <- function() session$run(add, list(1, 2))
} else {
  call <- function() callr::r(add, list(1, 2))
}

# Calls here take 10 ms and more, so the clock of Sys.time() is good enough.
sample_one <- function() {
  start <- Sys.time()
  stopifnot(call() == 3)
  as.numeric(difftime(Sys.time(), start, units = "secs")) * 1e9
}

cat("ready\n")
flush(stdout())
input <- file("stdin", "r")
while (length(line <- readLines(input, 1)) > 0) {
  words <- strsplit(line, " ")[[1]]
  samples <- vapply(seq_len(as.integer(words[2])), function(i) sample_one(), 0)
  if (words[1] == "warm") samples <- character(0)
  cat(format(samples, scientific = FALSE, trim = TRUE), "\n", sep = " ")
  flush(stdout())
}
if (exists("session")) session$close()
