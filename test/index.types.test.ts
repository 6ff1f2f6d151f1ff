import { describe, expectTypeOf, test } from "vitest";
import * as imago from "../src/index.ts";

/** Compiled, not run: what an author of programs may write, and what he may not. */
describe("the types of tasks", () => {
  test("names are literal", () => {
    expectTypeOf<imago.TaskName>().toEqualTypeOf<
      | "upscale"
      | "compare"
      | "evaluate"
      | "generate"
      | "mixStyles"
      | "reconstruct"
      | "translate"
      | "train"
      | "resume"
      | "exportModel"
      | "show"
      | "bench"
    >();
    expectTypeOf<(typeof imago.tasks)[0]["name"]>().toEqualTypeOf<"upscale">();
  });

  test("results and ticks are those of the task", () => {
    expectTypeOf(imago.upscale).returns.resolves.toEqualTypeOf<imago.Picture>();
    expectTypeOf(imago.generate).returns.resolves.toEqualTypeOf<readonly imago.Made[]>();
    expectTypeOf(imago.compare).returns.resolves.toEqualTypeOf<imago.Comparison>();
    type Followed = NonNullable<NonNullable<Parameters<typeof imago.compare>[1]>["onTick"]>;
    expectTypeOf<Parameters<Followed>[0]>().toEqualTypeOf<imago.CompareTick>();
  });

  test("a wrong option does not compile", () => {
    const never = (): unknown[] => [
      // @ts-expect-error: no such method
      imago.upscale("a.png", { method: "magic" }),
      // @ts-expect-error: no such option
      imago.generate({ model: "a", many: 3 }),
      // @ts-expect-error: the data must be given
      imago.evaluate({ method: ["bicubic"] }),
      // @ts-expect-error: rows and columns are one number
      imago.mixStyles({ mix: "3" }),
      // @ts-expect-error: pictures or their names
      imago.reconstruct(3, { model: "a" }),
      // @ts-expect-error: a runtime that there is
      imago.compare("a.png", { runtime: "gpu" }),
      imago.upscale("a.png"),
      imago.generate(),
    ];
    expectTypeOf(never).returns.toEqualTypeOf<unknown[]>();
  });

  test("a use's facts are known by its name", () => {
    expectTypeOf<imago.UseOf<"upscale">["color"]>().toEqualTypeOf<"y" | "rgb">();
    expectTypeOf<imago.UseOf<"translate">["size"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<imago.Use["task"]>().toEqualTypeOf<imago.UseName>();
  });
});
