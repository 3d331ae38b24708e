#include "layers/sizes/size_backend.h"

#include <algorithm>

#include "layers/core/error.h"
#include "layers/sizes/specs.h"

namespace convoy {
namespace {

[[noreturn]] void refuse_to_run(const std::string& what) {
  fail(ExitCode::internal, "a size model was asked to {}; it only plans", what);
}

class SizedLayer : public LoweredLayer {
 public:
  SizedLayer(LayerSpec spec, std::string name) : name_(std::move(name)) { spec_ = std::move(spec); }
  std::unique_ptr<Kernel> bind(std::size_t, std::span<void* const>, std::span<void* const>,
                               void*) const override {
    refuse_to_run("run layer \"" + name_ + "\"");
  }
  std::string implementation(std::size_t) const override { return "size model"; }

 private:
  std::string name_;
};

class SizeBackend : public Backend {
 public:
  explicit SizeBackend(SizeModel model) : model_(std::move(model)) {}

  std::string name() const override { return model_.device; }
  bool supports(DType type) const override {
    return std::find(model_.types.begin(), model_.types.end(), type) != model_.types.end();
  }
  std::int64_t alignment() const override { return 256; }
  std::int64_t usual_workspace() const override { return sizes::kUsualWorkspace; }
  bool loads_ahead() const override { return true; }
  bool has_tf32() const override { return model_.tf32; }
  DType gradient_type(DType precision) const override { return precision; }
  std::string describe(const Layout& layout) const override { return layouts_.describe(layout); }

  std::shared_ptr<const LoweredLayer> lower(const Site& site, std::span<const Layout>) override {
    return std::make_shared<SizedLayer>(
        std::visit([&](const auto& op) { return sizes::spec_of(op, site, layouts_); }, site.layer->op),
        site.layer->name);
  }
  Layout input_layout(Shape shape, std::int64_t batch, DType type) override {
    return layouts_.activation(shape, batch, type);
  }
  Layout master_layout(const Layout& used) override { return layouts_.with_type(used, DType::f32); }
  Layout gradient_layout(const Layout& master, DType precision) override {
    return layouts_.with_type(master, precision);
  }
  /// Values change type or are added one by one: our own kernel, which takes nothing.
  std::int64_t reorder_scratch(const Layout&, const Layout&, bool) override { return 0; }

  void store_parameter(const ParameterSpec&, const Layout&, const float*, void*) override {
    refuse_to_run("store a parameter");
  }
  void load_parameter(const ParameterSpec&, const Layout&, const void*, float*) override {
    refuse_to_run("load a parameter");
  }
  std::unique_ptr<Kernel> reorder(const Layout&, const Layout&, bool, bool, const void*, void*,
                                  void*) override {
    refuse_to_run("change a layout");
  }
  std::unique_ptr<Kernel> scale_pixels(Shape, std::int64_t, DType, const PixelScale&, const void*,
                                       void*) override {
    refuse_to_run("scale pixels");
  }
  std::int64_t squares_scratch(std::int64_t count) override { return sizes::squares_parts(count) * 8; }
  std::unique_ptr<Kernel> sgd(const SgdSpec&, std::vector<SgdRange>, void*, const void*, void*, void*,
                              const UpdateState*) override {
    refuse_to_run("update weights");
  }
  void copy_half(DType, std::int64_t, std::int64_t, const void*, void*) override {
    refuse_to_run("copy weights");
  }
  std::unique_ptr<Kernel> follow(std::int64_t, float, void*, const void*, const UpdateState*) override {
    refuse_to_run("follow statistics");
  }
  std::unique_ptr<Kernel> sum_of_squares(DType, std::vector<Slice>, const void*, double*, void*) override {
    refuse_to_run("add up squares");
  }
  std::unique_ptr<Kernel> decide_update(const UpdateRule&, const double*, UpdateState*) override {
    refuse_to_run("decide about an update");
  }

 private:
  SizeModel model_;
  sizes::Layouts layouts_;
};

}  // namespace

std::unique_ptr<Backend> make_size_backend(SizeModel model) {
  return std::make_unique<SizeBackend>(std::move(model));
}

}  // namespace convoy
