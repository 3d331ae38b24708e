// All-reduce of two and more ranks: `mpi_all_reduce_bench convoy N` times Convoy's, with its threads and
// timeouts, `mpi_all_reduce_bench mpi N` the library's own blocking MPI_Allreduce; N repetitions, the median
// is printed. Two runs, because in a process of Convoy's no other thread may call MPI.

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "comm/communicator.h"

namespace convoy {
namespace {

struct Times {
  double best;
  double median;
};

/// In microseconds, over the repetitions, from when all ranks are ready.
Times time_us(int repetitions, const std::function<void()>& ready, const std::function<void()>& body) {
  std::vector<double> times;
  for (int i = 0; i < repetitions; ++i) {
    ready();
    const auto start = std::chrono::steady_clock::now();
    body();
    times.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return {times.front(), times[times.size() / 2]};
}

using AllReduce = std::function<void(std::span<float>)>;

void measure(const char* what, bool prints, int repetitions, const std::function<void()>& ready,
             const AllReduce& all) {
  std::vector<float> data(4000000, 1.0F);
  for (const std::size_t count : {1U, 1000U, 4000U, 40000U, 400000U, 4000000U}) {
    const std::span<float> part = std::span(data).first(count);
    all(part);
    const Times us = time_us(repetitions, ready, [&] { all(part); });
    if (prints)
      fmt::print("{:>8} all-reduce of {:>8} fp32: {:>8.1f} us at best, {:>8.1f} us median\n", what, count,
                 us.best, us.median);
  }
}

void run(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "convoy";
  const int repetitions = argc > 2 ? std::atoi(argv[2]) : 51;
  if (what == "convoy") {
    const auto comm = make_mpi(&argc, &argv);
    measure(
        "convoy", comm->rank() == 0, repetitions, [&] { comm->barrier("ready"); },
        [&](std::span<float> part) { comm->all_reduce(part, Reduction::sum, "bench"); });
    return;
  }
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  measure(
      "mpi", rank == 0, repetitions, [] { MPI_Barrier(MPI_COMM_WORLD); },
      [](std::span<float> part) {
        MPI_Allreduce(MPI_IN_PLACE, part.data(), static_cast<int>(part.size()), MPI_FLOAT, MPI_SUM,
                      MPI_COMM_WORLD);
      });
  MPI_Finalize();
}

}  // namespace
}  // namespace convoy

int main(int argc, char** argv) {
  convoy::run(argc, argv);
  return 0;
}
