#include <cstdio>
#include <cstdlib>

#include "comm/operation_communicator.h"

namespace convoy {
namespace {

/// In place, a collective of one rank has nothing to do.
class Single final : public OperationCommunicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  std::string kind() const override { return "single"; }

  void note(std::int64_t /*step*/, const char* /*activity*/) override {}

  void abort(ExitCode code, const std::string& message) override {
    if (!message.empty()) fmt::print(stderr, "{}\n", message);
    std::fflush(nullptr);
    std::_Exit(static_cast<int>(code));
  }

 private:
  Pending start(Operation operation) override {
    check(operation, 1);
    return {};
  }
};

}  // namespace

std::unique_ptr<Communicator> make_single() { return std::make_unique<Single>(); }

}  // namespace convoy
