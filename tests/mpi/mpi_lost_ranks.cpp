// What happens when a rank is late, stopped, dead or astray: one scenario per run, named by the argument.

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "comm/communicator.h"

namespace convoy {
namespace {

void sleep_for(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

void reduce(Communicator& comm, const char* name) {
  std::vector<double> data(3, 1.0);
  comm.all_reduce(data, Reduction::sum, name);
}

void late(Communicator& comm) {
  reduce(comm, "start");
  comm.note(57, comm.rank() == 1 ? "backward conv2" : "wait");
  if (comm.rank() == 1) sleep_for(60);
  reduce(comm, "step");
}

void stopped(Communicator& comm) {
  reduce(comm, "start");
  comm.note(57, "wait");
  if (comm.rank() == 1) kill(getpid(), SIGSTOP);
  reduce(comm, "step");
}

void killed(Communicator& comm) {
  reduce(comm, "start");
  if (comm.rank() == 1) kill(getpid(), SIGKILL);
  reduce(comm, "step");
}

void ended(Communicator& comm) {
  reduce(comm, "start");
  if (comm.rank() == 0) reduce(comm, "step");
}

void disagree(Communicator& comm) {
  reduce(comm, "start");
  reduce(comm, comm.rank() == 0 ? "loss" : "overflow");
}

/// The program of rank 0 never waits for what it started, that of rank 1 never starts it.
void hung(Communicator& comm) {
  reduce(comm, "start");
  if (comm.rank() == 1) sleep_for(60);
  std::vector<float> data(10);
  const Pending pending = comm.start_all_reduce(data.data(), 10, Element::f32, Reduction::sum, "bucket");
  sleep_for(60);
}

void abort(Communicator& comm) {
  reduce(comm, "start");
  if (comm.rank() == 1) comm.abort(ExitCode::diverged, "the loss is not finite");
  reduce(comm, "step");
}

void throws(Communicator& comm) {
  reduce(comm, "start");
  if (comm.rank() == 1) fail(ExitCode::data, "no such image");
  reduce(comm, "step");
}

/// The data of an operation that failed is freed while its messages are half through.
void large(Communicator& comm) {
  reduce(comm, "start");
  if (comm.rank() == 1) sleep_for(60);
  std::vector<float> data(1 << 20);
  comm.all_reduce(data, Reduction::sum, "step");
}

int run(int argc, char** argv) {
  const std::map<std::string, std::function<void(Communicator&)>> scenarios{
      {"late", late},   {"stopped", stopped}, {"killed", killed}, {"ended", ended},      {"hung", hung},
      {"abort", abort}, {"throw", throws},    {"large", large},   {"disagree", disagree}};
  const std::unique_ptr<Communicator> comm = make_mpi(&argc, &argv, {.timeout_seconds = 2});
  try {
    scenarios.at(argv[1])(*comm);
    return 0;
  } catch (const Error& error) {
    if (error.code() == ExitCode::data) {
      fmt::print(stderr, "rank {} ends with: {}\n", comm->rank(), error.what());
      comm->abort(error.code(), "");
    }
    fmt::print(stderr, "caught by rank {}: {}\n", comm->rank(), error.what());
    sleep_for(1.5);  // so that the others come to their own verdict
    comm->abort(error.code(), "");
  }
  return 1;
}

}  // namespace
}  // namespace convoy

int main(int argc, char** argv) { return convoy::run(argc, argv); }
